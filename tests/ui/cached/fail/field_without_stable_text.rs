use cache_runtime::cached;

pub struct Request {
    price: f64,
    id: u64,
}

#[cached(key = "a:<request.price>")]
async fn price(request: &Request) -> u64 {
    request.id
}

#[cached(key = "b:<request.idd>")]
async fn misspelt(request: &Request) -> u64 {
    request.id
}

#[cached(key = "c:<id.inner>")]
async fn no_fields(id: u64) -> u64 {
    id
}

fn main() {}
