use cache_runtime::cache_keys;

#[cache_keys]
unsafe trait Keys<T>: Send
where
    T: Copy,
{
    const LIMIT: u64;
    type Value;
    #[key("user:<id>")]
    fn user(id: u64) -> String;
}

fn main() {
    let _ = Keys::user(1);
}
