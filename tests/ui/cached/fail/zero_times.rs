use std::time::Duration;

use cache_runtime::cached;

#[cached(key = "a:<id>", ttl = 0, stale = "0s", stale_if_error = Duration::ZERO, none_ttl = 0, timeout = Duration::from_secs(0))]
async fn get_user(id: u64) -> Option<u64> {
    Some(id)
}

fn main() {}
