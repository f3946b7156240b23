use cache_runtime::cached;

#[cached(key = "a:<id>")]
async fn get_user(id: u64) -> Result<String, String> {
    let text: String = id;
    let unknown = missing(id)?;
    id.no_such_method().await;
    Ok(text + unknown)
}

#[cached(key = "b:<id>", ttl = 60, stale = 60)]
async fn other(id: &str) -> u64 {
    id
}

fn main() {}
