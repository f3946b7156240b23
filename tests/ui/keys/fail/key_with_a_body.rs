use cache_runtime::cache_keys;

#[cache_keys]
trait Keys {
    #[key("user:<id>")]
    fn user(id: u64) -> String {
        format!("user:{id}")
    }
}

fn main() {
    let _ = Keys::user(1);
}
