use cache_runtime::cached;

#[cached(key = "a:<id>:<result.team>")]
async fn get_user(id: u64) -> Vec<u64> {
    vec![id]
}

fn main() {}
