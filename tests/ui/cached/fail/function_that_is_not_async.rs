use cache_runtime::cached;

#[cached(key = "a:<id>")]
pub fn get_user(id: u64) -> u64 {
    id
}

#[cached(key = "a:<id>")]
pub fn by_future(id: u64) -> impl Future<Output = u64> {
    async move { id }
}

fn main() {}
