use cache_runtime::cached;

#[cached(kee = "a:<id>", tll = 60, size = 100, time = 5, tag = ["a"])]
async fn get_user(id: u64) -> u64 {
    id
}

fn main() {}
