use cache_runtime::{cached, invalidates};

#[cached(key = "user:<id>")]
async fn get_user(id: u64) -> Option<u64> {
    Some(id)
}

async fn lookup(id: u64) -> u64 {
    id
}

#[invalidates(get_user(result.parse::<u64>()?), get_user(lookup(result.len() as u64).await), get_user(return result))]
async fn update() -> Result<String, std::num::ParseIntError> {
    Ok(String::new())
}

fn main() {}
