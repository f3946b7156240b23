use cache_runtime::cached;

#[cached(key = "a:<id>")]
async unsafe fn dangerous(id: u64) -> u64 {
    id
}

#[cached(key = "b:<id>")]
async extern "C" fn foreign(id: u64) -> u64 {
    id
}

#[cached(key = "c:<id>", skip(more))]
async fn conditional(id: u64, #[cfg(all())] more: u64) -> u64 {
    id + more
}

fn main() {}
