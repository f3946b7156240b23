//! Other attributes above and below.

use cache_runtime::cached;

#[cfg_attr(all(), doc = "Some docs.")]
#[rustfmt::skip]
#[cached(key = "a:<id>")]
#[cfg_attr(all(), must_use)]
pub(crate) async fn get(#[allow(unused_variables)] id: u64) -> u64 { 1 }

#[tokio::main(flavor = "current_thread")]
async fn main() {
    assert_eq!(get(1).await, 1);
}
