use cache_runtime::cached;

#[cached(key = "user:<id>", skip(db))]
async fn get_user(id: u64, db: &str) -> Result<String, String> {
    Ok(format!("{id}{db}"))
}

async fn uses() {
    get_user::invalidate("1").await.unwrap();
    get_user::invalidate(1, "db").await.unwrap();
    get_user::put(1, &5).await.unwrap();
    get_user::forget(1).await;
}

fn main() {
    drop(uses());
}
