use cache_runtime::cached;

pub struct Connection;

pub enum Filter {
    All,
}

#[cached(key = "user:<connection>:<id>", tags = ["c:<connection>"])]
async fn get_user(connection: &Connection, id: u64) -> u64 {
    let _ = connection;
    id
}

#[cached]
async fn list(filter: Filter, price: f64) -> u64 {
    let _ = (filter, price);
    1
}

fn main() {}
