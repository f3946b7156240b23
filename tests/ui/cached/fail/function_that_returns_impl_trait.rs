use cache_runtime::cached;

#[cached(key = "a:<id>")]
async fn one(id: u64) -> impl Clone {
    id
}

#[cached(key = "b:<id>")]
async fn many(id: u64) -> Result<Vec<impl Clone>, String> {
    Ok(vec![id])
}

fn main() {}
