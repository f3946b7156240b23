use cache_runtime::cached;

#[cached(key = "a:<id>", ttl = seconds())]
async fn get_user(id: u64) -> u64 {
    id
}

#[cached(key = "b:<id>", ttl = |value| *value)]
async fn of_value(id: u64) -> u64 {
    id
}

fn seconds() -> u64 {
    60
}

fn main() {}
