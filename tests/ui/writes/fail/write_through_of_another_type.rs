use cache_runtime::{cached, write_through};

#[cached(key = "user:<id>")]
async fn get_user(id: u64) -> Result<String, ()> {
    Ok(id.to_string())
}

#[write_through(get_user(id))]
async fn rename(id: u64, name: &str) -> Result<usize, ()> {
    let _ = id;
    Ok(name.len())
}

fn main() {}
