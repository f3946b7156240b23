use cache_runtime::cached;

#[cached(key = "a:<id>", ttl = -5, stale = "-1m", timeout = -1.5)]
async fn get_user(id: u64) -> u64 {
    id
}

fn main() {}
