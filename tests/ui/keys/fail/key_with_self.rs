use cache_runtime::cache_keys;

#[cache_keys]
trait Keys {
    #[key("user:<id>")]
    fn user(&self, id: u64) -> String;
    #[key("tenant:<self.tenant>")]
    fn tenant() -> String;
}

fn main() {
    let _ = Keys::user(1);
}
