use cache_runtime::{invalidates, write_through};

#[invalidates(tags = ["users"])]
struct User;

trait Store {
    #[write_through(get_user(id))]
    async fn write(id: u64) -> u64;
}

fn main() {
    let _ = User;
}
