use cache_runtime::cached;

#[cached(key = "user:<org><id>")]
async fn get_user(org: u64, id: u64) -> u64 {
    org + id
}

fn main() {}
