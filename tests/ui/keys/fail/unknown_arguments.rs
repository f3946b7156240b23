use cache_runtime::cache_keys;

#[cache_keys(crat = cache_runtime)]
trait Keys {
    #[key("a:<id>", tll = 30)]
    fn misspelt(id: u64) -> String;
    #[key("b:<id>", stale = 30)]
    fn of_cached(id: u64) -> String;
    #[key("c:<id>", ttl = 1, ttl = 2)]
    fn twice(id: u64) -> String;
    #[key("d:<id>", tags = "users")]
    fn no_list(id: u64) -> String;
    #[key("e:<id>", tags = [5])]
    fn number(id: u64) -> String;
    #[key(ttl = 5)]
    fn no_template(id: u64) -> String;
}

fn main() {}
