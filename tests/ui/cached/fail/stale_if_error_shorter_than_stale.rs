use cache_runtime::cached;

#[cached(key = "a:<id>", ttl = 60, stale = "1h", stale_if_error = "5m")]
async fn get_user(id: u64) -> u64 {
    id
}

fn main() {}
