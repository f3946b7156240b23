use std::rc::Rc;

use cache_runtime::cached;

#[cached(key = "a:<id>", ttl = 60, stale = 60)]
async fn get_user(id: u64) -> u64 {
    let kept = Rc::new(id);
    std::future::ready(()).await;
    *kept
}

fn main() {}
