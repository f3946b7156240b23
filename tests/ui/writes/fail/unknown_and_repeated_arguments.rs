use cache_runtime::{invalidates, write_through};

#[invalidates(tag = ["users"], on_eror = "return", tags = ["a"], tags = ["b"], ttl = 5)]
async fn update() {}

#[write_through(tags = ["users"], on_error = "return")]
async fn write() -> u64 {
    1
}

#[invalidates(tags("users"), on_error)]
async fn called() {}

fn main() {}
