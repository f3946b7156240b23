use cache_runtime::cached;

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Result<T>(T);

#[cached(key = "a:<id>")]
async fn get_user(id: u64) -> Result<u64> {
    Result(id)
}

fn main() {}
