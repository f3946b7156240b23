#![deny(warnings)]

use cache_runtime::cached;

#[cached(key = "a:<id>")]
pub async fn get_user(id: u64) -> u64 {
    let unused = 1;
    let mut never_changed = id;
    never_changed
}

#[cached(key = "b:<id>", skip(ignored))]
async fn never_called(id: u64, ignored: u64) -> u64 {
    id
}

fn main() {}
