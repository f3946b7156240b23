//! A body that is not `Send` runs in its caller.

use std::cell::RefCell;
use std::rc::Rc;

use cache_runtime::cached;

#[cached(key = "a:<id>")]
async fn get(id: u64) -> u64 {
    let kept = Rc::new(RefCell::new(id));
    tokio::task::yield_now().await;
    kept.take()
}

#[cached(key = "b:<id>", skip(seen))]
async fn with_argument(id: u64, seen: Rc<RefCell<u64>>) -> u64 {
    *seen.borrow_mut() += id;
    id
}

#[tokio::test]
async fn runs() {
    let cache = cache_runtime::Cache::builder().in_memory().build().await.unwrap();
    let program = async {
        assert_eq!(get(1).await, 1);
        assert_eq!(with_argument(1, Rc::default()).await, 1);
    };
    cache_runtime::scope(cache, program).await;
}
