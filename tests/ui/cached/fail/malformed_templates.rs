use cache_runtime::cached;

#[cached(key = "user:<id")]
async fn unclosed(id: u64) -> u64 {
    id
}

#[cached(key = "user:id>")]
async fn unopened(id: u64) -> u64 {
    id
}

#[cached(key = "user:<>")]
async fn empty_placeholder(id: u64) -> u64 {
    id
}

#[cached(key = "user:<id}")]
async fn mixed(id: u64) -> u64 {
    id
}

#[cached(key = "user:<id.>:<a b>")]
async fn no_path(id: u64) -> u64 {
    id
}

fn main() {}
