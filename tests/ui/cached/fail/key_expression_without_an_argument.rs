use cache_runtime::{Key, cached};

#[cached(key = Key::new(format!("user:{id}")))]
async fn get_user(org: u64, id: u64) -> u64 {
    org + id
}

fn main() {}
