use cache_runtime::cache_keys;

#[cache_keys]
trait Keys {
    #[key("user:<id>")]
    async fn user(id: u64) -> String;
}

fn main() {}
