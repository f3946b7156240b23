use cache_runtime::cached;

#[cached(key = "a:<id>")]
async fn generic<T: Clone>(id: T) -> u64 {
    let _ = id;
    1
}

#[cached(key = "b:<id>")]
async fn unnamed(id: impl std::fmt::Display) -> u64 {
    let _ = id;
    1
}

fn main() {}
