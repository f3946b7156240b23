use cache_runtime::cached;

struct Repo;
struct Db;

impl Repo {
    #[cached(key = "a:<id>", ttl = 60, stale = 60)]
    async fn method(&self, id: u64) -> u64 {
        id
    }
}

#[cached(key = "b:<id>", ttl = 60, stale = 60, skip(db))]
async fn function(db: &Db, id: u64) -> u64 {
    let _ = db;
    id
}

fn main() {}
