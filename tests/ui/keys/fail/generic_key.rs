use cache_runtime::cache_keys;

#[cache_keys]
trait Keys {
    #[key("user:<id>")]
    fn user<T>(id: T) -> String
    where
        T: Copy;
    #[key("org:<id>")]
    fn org(id: impl Into<u64>) -> String;
}

fn main() {}
