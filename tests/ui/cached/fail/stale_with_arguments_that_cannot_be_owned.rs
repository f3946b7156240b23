use cache_runtime::cached;

#[cached(key = "a:<id>", ttl = 60, stale = 60, skip(buffer))]
async fn by_mut(id: u64, buffer: &mut Vec<u8>) -> u64 {
    buffer.push(1);
    id
}

#[cached(key = "b:<id>", ttl = 60, stale = 60)]
async fn by_lifetime<'a>(id: &'a str) -> u64 {
    id.len() as u64
}

#[cached(key = "c:<id>", ttl = 60, stale = 60, skip(call))]
async fn by_impl(id: Option<&str>, call: impl Fn() -> u64) -> u64 {
    let _ = id;
    call()
}

#[cached(key = "d:<id>", ttl = 60, stale = 60)]
async fn by_type<T: cache_runtime::KeyPart>(id: T) -> u64 {
    let _ = id;
    1
}

struct Repo;

impl Repo {
    #[cached(key = "e:<id>", ttl = 60, stale = 60)]
    async fn by_receiver(&mut self, id: u64) -> u64 {
        id
    }
}

fn main() {}
