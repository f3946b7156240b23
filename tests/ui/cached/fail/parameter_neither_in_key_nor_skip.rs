use cache_runtime::cached;

#[cached(key = "user:<id>")]
async fn get_user(tenant: &str, id: u64, db: &u8) -> u64 {
    let _ = (tenant, db);
    id
}

#[cached(key = "pair:<a>")]
async fn get_pair((a, b): (u64, u64)) -> u64 {
    a + b
}

#[cached(key = "constant", tags = ["user:<id>"])]
async fn tagged(id: u64) -> u64 {
    id
}

fn main() {}
