use cache_runtime::cache_keys;

#[cache_keys]
trait Keys {
    fn user(id: u64) -> String;
    #[key]
    fn org(id: u64) -> String;
    #[key("a:<id>")]
    #[key("b:<id>")]
    fn twice(id: u64) -> String;
}

fn main() {
    let _ = Keys::user(1);
}
