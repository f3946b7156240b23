use cache_runtime::cached;

#[cached(key = "user:<idd>", ttl = 0, stale = "1h", stale_if_error = "1m", tags = ["org:<rog>", 5], jitter = "200%", unknown = 1)]
fn get_user(org: u64, id: u64) -> &'static str {
    let _ = (org, id);
    ""
}

fn main() {}
