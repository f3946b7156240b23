use cache_runtime::{cached, invalidates};

#[cached(key = "user:<id>")]
async fn get_user(id: u64) -> Option<u64> {
    Some(id)
}

#[invalidates(get_user(result), tags = ["a:<result>"])]
async fn update(result: u64) -> u64 {
    result
}

fn main() {}
