use cache_runtime::{Key, cached};

#[cached(key = 5)]
async fn number(id: u64) -> u64 {
    id
}

#[cached(key = |id| id)]
async fn closure(id: u64) -> u64 {
    id
}

#[cached(key = format!("user:{id}"))]
async fn text(id: u64) -> u64 {
    id
}

#[cached(key = Key::<String>::new(format!("user:{id}")))]
async fn other_type(id: u64) -> u64 {
    id
}

fn main() {}
