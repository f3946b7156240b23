use cache_runtime::{invalidates, write_through};

async fn get_user(id: u64) -> u64 {
    id
}

struct Repo;

impl Repo {
    async fn get_user(&self, id: u64) -> u64 {
        id
    }

    #[invalidates(self.get_user(id), get_user(id))]
    async fn update(&self, id: u64) -> u64 {
        self.get_user(id).await + get_user(id).await
    }
}

#[write_through(get_user(id))]
async fn write(id: u64) -> u64 {
    id
}

fn main() {
    let _ = (Repo.update(1), write(1));
}
