use cache_runtime::{cached, invalidates, write_through};

#[cached(key = "user:<id>")]
async fn get_user(id: u64) -> Option<u64> {
    Some(id)
}

#[invalidates(get_user(id))]
fn update(id: u64) {
    let _ = id;
}

#[write_through(get_user(id))]
fn write(id: u64) -> u64 {
    id
}

fn main() {
    update(1);
    let _ = write(1);
}
