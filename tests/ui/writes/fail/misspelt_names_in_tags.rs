use cache_runtime::invalidates;

#[invalidates(tags = ["org:<orgg>", "user:<user.id>", "of:<self.tenant>", "team:<reslt.team>", "n:<number>:<nam>"])]
async fn update(org: u64, (number, name): (u64, String)) -> u64 {
    org + number + name.len() as u64
}

fn main() {
    let _ = update(1, (2, String::new()));
}
