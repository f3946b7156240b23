use cache_runtime::cache_keys;

#[cache_keys]
pub trait CacheKeys {
    #[key("user:<id>")]
    fn user(id: &str) -> String;
    #[key("user:<name>")]
    fn user_by_name(name: &str) -> String;
    #[key("user:<id>:organizations")]
    fn user_organizations(id: &str) -> Vec<String>;
}

fn main() {
    let _ = CacheKeys::user_by_name("anna");
}
