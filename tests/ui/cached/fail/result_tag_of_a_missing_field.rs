use cache_runtime::cached;

#[derive(Clone, serde::Serialize, serde::Deserialize)]
pub struct User {
    team: u64,
    price: f64,
}

#[cached(key = "a:<id>", tags = ["team:<result.taem>"])]
async fn misspelt(id: u64) -> Option<User> {
    let _ = id;
    None
}

#[cached(key = "b:<id>", tags = ["price:<result.price>"])]
async fn without_text(id: u64) -> Option<User> {
    let _ = id;
    None
}

fn main() {}
