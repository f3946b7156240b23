use cache_runtime::cache_keys;

#[cache_keys]
trait Keys {
    #[key("pair")]
    fn pair((a, b): (u64, u64)) -> String;
    #[key("any")]
    fn any(_: u64) -> String;
}

fn main() {}
