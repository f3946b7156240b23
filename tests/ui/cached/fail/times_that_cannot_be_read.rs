use cache_runtime::cached;

#[cached(key = "a:<id>", ttl = "30", stale = "5 minutes", stale_if_error = 1.5, timeout = true)]
async fn one(id: u64) -> u64 {
    id
}

#[cached(key = "b:<id>", ttl = 30m, stale = "soon", stale_if_error = "1.5h", timeout = 99999999999999999999999)]
async fn two(id: u64) -> u64 {
    id
}

#[cached(key = "c:<id>", ttl = "", stale = |value| value, stale_if_error = "30m1h", timeout = 'x')]
async fn three(id: u64) -> u64 {
    id
}

fn main() {}
