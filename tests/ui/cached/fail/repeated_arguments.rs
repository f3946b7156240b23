use cache_runtime::cached;

#[cached(key = "a:<id>", ttl = 60, key = "b:<id>", ttl = "1h")]
async fn get_user(id: u64) -> u64 {
    id
}

fn main() {}
