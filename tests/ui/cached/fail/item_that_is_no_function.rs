use cache_runtime::cached;

#[cached(key = "a")]
struct User;

#[cached(key = "a")]
const A: u64 = 1;

#[cached]
mod inner {}

fn main() {}
