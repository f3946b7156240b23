use cache_runtime::{cached, invalidates, write_through};

struct Repo;

impl Repo {
    #[cached(key = "user:<id>")]
    async fn get_user(&self, id: u64) -> Option<u64> {
        Some(id)
    }

    #[invalidates(self.get_user(id), tags = ["of:<self.tenant>"])]
    async fn update(id: u64) -> u64 {
        id
    }

    #[write_through(self.get_user(id))]
    async fn write(id: u64) -> u64 {
        id
    }
}

fn main() {
    let _ = Repo;
}
