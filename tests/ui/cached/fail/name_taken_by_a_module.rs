use cache_runtime::cached;

#[cached(key = "a:<id>")]
async fn users(id: u64) -> u64 {
    id
}

mod users {}

fn main() {}
