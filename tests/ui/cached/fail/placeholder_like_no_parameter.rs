use cache_runtime::cached;

#[cached(key = "user:<tenant>")]
async fn get_user(org: u64, id: u64) -> u64 {
    org + id
}

#[cached(key = "user:<id>")]
async fn nothing() -> u64 {
    1
}

fn main() {}
