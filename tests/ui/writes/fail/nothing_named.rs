use cache_runtime::{invalidates, write_through};

#[invalidates]
async fn update() {}

#[invalidates(tags = [], on_error = "retry")]
async fn empty() {}

#[write_through]
async fn write() -> u64 {
    1
}

fn main() {}
