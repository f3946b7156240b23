use cache_runtime::cached;

#[cached(key = "a:<id>")]
async fn nothing(id: u64) {
    let _ = id;
}

#[cached(key = "a:<id>")]
async fn unit(id: u64) -> () {
    let _ = id;
}

#[cached(key = "a:<id>")]
async fn never(id: u64) -> ! {
    panic!("{id}")
}

fn main() {}
