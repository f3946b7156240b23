use cache_runtime::cached;

#[cached(key = "a:<id>", tags = ["<result>", "team<id>:<result>", "ok:<result>"])]
async fn get_user(id: u64) -> u64 {
    id
}

fn main() {}
