use cache_runtime::cached;

#[cached(key = "a:<result>", tags = ["t:<result>"])]
async fn get_user(result: u64) -> u64 {
    result
}

fn main() {}
