use cache_runtime::{KeyPart, cache_keys, cached, invalidates};

#[cached(key = "user:<id>")]
async fn get_user(id: u64) -> Option<u64> {
    Some(id)
}

#[invalidates("users", tags = ["org:<og>", "team:<"], on_error = "no", tll = 5)]
fn update(org: u64) -> u64 {
    org
}

#[derive(KeyPart)]
union Either {
    a: u64,
}

#[cache_keys]
trait Keys {
    #[key("a:<i>", ttl = 0)]
    async fn a(id: u64) -> String;
}

fn main() {
    let _: u64 = update(1);
    let _ = Keys::a(1);
    let _ = get_user(1);
}
