use cache_runtime::cached;

#[cached(key = "a:<id>", none_ttl = 60)]
async fn plain(id: u64) -> u64 {
    id
}

#[cached(key = "b:<id>", none_ttl = 60)]
async fn fallible(id: u64) -> Result<u64, String> {
    Ok(id)
}

fn main() {}
