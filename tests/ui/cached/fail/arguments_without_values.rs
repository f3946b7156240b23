use cache_runtime::cached;

#[cached("a:<id>")]
async fn unnamed(id: u64) -> u64 {
    id
}

#[cached(key: "a:<id>", ttl)]
async fn other_sign(id: u64) -> u64 {
    id
}

#[cached(key = , ttl = "1h", skip = 5, policy = "x", crate = "y")]
async fn missing(id: u64) -> u64 {
    id
}

#[cached(key = "a:<id>" ttl = 60)]
async fn no_comma(id: u64) -> u64 {
    id
}

fn main() {}
