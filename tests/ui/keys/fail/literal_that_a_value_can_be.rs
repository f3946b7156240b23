use cache_runtime::cache_keys;

#[cache_keys]
trait Keys {
    #[key("user:<name>")]
    fn user(name: &str) -> String;
    #[key("user:me")]
    fn me() -> String;
    #[key("page:<from>-<to>")]
    fn page(from: u64, to: u64) -> String;
    #[key("page:1-<to>")]
    fn first_page(to: u64) -> String;
}

fn main() {}
