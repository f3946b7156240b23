use cache_runtime::{cached, invalidates};

#[cached(key = "user:<org>:<id>")]
async fn get_user(org: u64, id: String) -> Option<u64> {
    Some(org + id.len() as u64)
}

#[invalidates(get_user(org), get_user(id, org), get_user(missing, id))]
async fn update(org: u64, id: String) -> u64 {
    org + id.len() as u64
}

fn main() {}
