use cache_runtime::{cached, write_through};

#[cached(key = "user:<id>")]
async fn get_user(id: u64) -> Option<u64> {
    Some(id)
}

#[write_through(get_user(result))]
async fn create() -> u64 {
    1
}

#[write_through(get_user(id))]
async fn delete(id: u64) {
    let _ = id;
}

fn main() {}
