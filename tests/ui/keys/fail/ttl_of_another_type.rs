use cache_runtime::cache_keys;

#[cache_keys]
trait Keys {
    #[key("a:<id>", ttl = id)]
    fn user(id: u64) -> String;
}

fn main() {}
