use cache_runtime::cached;

#[cached(key = "a:<id>", cache_if = true)]
async fn constant(id: u64) -> u64 {
    id
}

#[cached(key = "b:<id>", cache_if = || true)]
async fn no_value(id: u64) -> u64 {
    id
}

#[cached(key = "c:<id>", cache_if = |value| *value)]
async fn not_bool(id: u64) -> u64 {
    id
}

fn main() {}
