use cache_runtime::invalidates;

#[invalidates(tags = ["", "org:<org", "of:<org><id>", 5, "{org:?}"])]
async fn update(org: u64, id: u64) -> u64 {
    org + id
}

#[invalidates(tags = "users")]
async fn no_list() {}

fn main() {}
