//! Docs, lint levels, `must_use`, `deprecated`, `cfg` and `inline` stay on the function.

#![deny(warnings)]

use cache_runtime::cached;

/// One user.
///
/// # Errors
///
/// Never.
#[must_use]
#[inline]
#[cached(key = "user:<id>")]
#[allow(clippy::unused_async, unused_variables)]
pub async fn get_user(id: u64) -> Result<u64, String> {
    let unused = 1;
    Ok(id)
}

#[cached(key = "old:<id>")]
#[deprecated = "take `get_user`"]
pub async fn old(id: u64) -> u64 {
    id
}

#[cached(key = "never:<id>")]
#[cfg(any())]
pub async fn never(id: Missing) -> Missing {
    id
}

#[cached(key = "expected:<id>:<other>")]
#[expect(unused_variables, reason = "shows that it is met")]
pub async fn expected(id: u64, #[allow(unused_mut)] mut other: u64) -> u64 {
    let unused = other;
    id
}

#[cfg_attr(all(), cached(key = "conditional:<id>"))]
pub async fn conditional(id: u64) -> u64 {
    id
}

#[allow(deprecated)]
#[tokio::test]
async fn runs() {
    let cache = cache_runtime::Cache::builder().in_memory().build().await.unwrap();
    let program = async {
        assert_eq!(get_user(1).await, Ok(1));
        assert_eq!(old(1).await, 1);
        assert_eq!(expected(1, 2).await, 1);
        assert_eq!(conditional(1).await, 1);
        conditional::invalidate(1).await.unwrap();
    };
    cache_runtime::scope(cache, program).await;
}
