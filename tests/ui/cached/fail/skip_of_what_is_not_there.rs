use cache_runtime::cached;

#[cached(key = "a:<id>", skip(bd, id, self, db, db))]
async fn get_user(id: u64, db: &str) -> u64 {
    let _ = db;
    id
}

fn main() {}
