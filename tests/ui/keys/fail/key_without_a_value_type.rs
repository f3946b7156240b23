use cache_runtime::cache_keys;

#[cache_keys]
trait Keys {
    #[key("user:<id>")]
    fn user(id: u64);
    #[key("name:<id>")]
    fn name(id: u64) -> &str;
}

fn main() {}
