use cache_runtime::cached;

trait Load {
    async fn load(&self, id: u64) -> u64;
    async fn make(id: u64) -> u64;
}

struct Repo;

impl Load for Repo {
    #[cached(key = "a:<id>")]
    async fn load(&self, id: u64) -> u64 {
        id
    }

    #[cached(key = "b:<id>")]
    async fn make(id: u64) -> u64 {
        id
    }
}

fn main() {}
