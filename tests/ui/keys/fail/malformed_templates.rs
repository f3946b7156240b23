use cache_runtime::cache_keys;

#[cache_keys]
trait Keys {
    #[key("")]
    fn empty() -> String;
    #[key("user:<>")]
    fn empty_placeholder() -> String;
    #[key("user:<id")]
    fn unclosed(id: u64) -> String;
    #[key("user:id>")]
    fn closes_nothing() -> String;
    #[key("user:<id}")]
    fn mixed(id: u64) -> String;
    #[key("user:<id><name>")]
    fn neighbours(id: u64, name: &str) -> String;
    #[key("user:{id:?}")]
    fn format(id: u64) -> String;
    #[key("user:< id >", tags = ["é\"<0>"])]
    fn spaces(id: u64) -> String;
}

fn main() {}
