use cache_runtime::cached;

#[cached(key = "user:<idd>:<orgg>")]
async fn get_user(org: u64, id: u64) -> u64 {
    org + id
}

#[cached(key = "user:{user_id}")]
async fn get_other(usr_id: u64) -> u64 {
    usr_id
}

fn main() {}
