use cache_runtime::{cached, invalidates, write_through};

#[cached(key = "user:<id>")]
async fn get_user(id: u64) -> Option<u64> {
    Some(id)
}

struct Repo {
    inner: u64,
}

impl Repo {
    #[invalidates("users", get_user(id).await, 5 + id, self.inner.get_user, (|| id)(), get_user(id) get_user(id))]
    async fn update(&self, id: u64) -> u64 {
        self.inner + id
    }

    #[write_through("users", get_user)]
    async fn write(&self, id: u64) -> u64 {
        id
    }
}

fn main() {}
