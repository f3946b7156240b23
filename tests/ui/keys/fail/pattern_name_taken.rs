use cache_runtime::cache_keys;

#[cache_keys]
trait Keys {
    #[key("user:<id>")]
    fn user(id: u64) -> String;
    #[key("pattern:<id>")]
    fn user_pattern(id: u64) -> String;
    #[key("again:<id>")]
    fn user(id: u64) -> String;
}

fn main() {}
