use cache_runtime::cached;

const HOUR: u64 = 3600;

#[cached(key = "a:<id>", policy = HOUR)]
async fn number(id: u64) -> u64 {
    id
}

#[cached(key = "b:<id>", policy = "APPLICATION")]
async fn text(id: u64) -> u64 {
    id
}

fn main() {}
