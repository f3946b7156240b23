use cache_runtime::cached;

#[cached(key = "a:<id>", early = 0.0, jitter = "0%")]
async fn zero(id: u64) -> u64 {
    id
}

#[cached(key = "b:<id>", early = -1.0, jitter = "100%")]
async fn negative(id: u64) -> u64 {
    id
}

#[cached(key = "c:<id>", early = "1", jitter = 0.1)]
async fn text(id: u64) -> u64 {
    id
}

#[cached(key = "d:<id>", early = 0, jitter = "ten")]
async fn words(id: u64) -> u64 {
    id
}

fn main() {}
