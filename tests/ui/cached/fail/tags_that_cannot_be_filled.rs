use cache_runtime::cached;

#[cached(key = "a:<id>", tags = ["org:<org>", "user:<id", "", "x:<self.tenant>"])]
async fn get_user(id: u64) -> u64 {
    id
}

#[cached(key = "b:<id>", tags = "users")]
async fn no_list(id: u64) -> u64 {
    id
}

#[cached(key = "c:<id>", tags = [5, b"x", id])]
async fn no_tag(id: u64) -> u64 {
    id
}

fn main() {}
