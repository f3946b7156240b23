use cache_runtime::cached;

#[cached(key = "a:<id>")]
async fn get_user(id: Missing) -> Result<u64, AlsoMissing> {
    Ok(1)
}

fn main() {}
