//! The crate `cached` with its asynchronous Redis store.

use std::sync::OnceLock;

use cached::AsyncRedisCache;
use cached::macros::concurrent_cached;

use super::profile::{Profile, load};

static URL: OnceLock<String> = OnceLock::new();

/// Says where the server is, before the first call.
pub fn install(url: String) {
    URL.get_or_init(|| url);
}

/// The same function, annotated with theirs. Its store writes MessagePack.
#[concurrent_cached(
    map_error = r##"|error| error.to_string()"##,
    ty = "AsyncRedisCache<u64, Profile>",
    create = r##" {
        AsyncRedisCache::builder("profile")
            .ttl(cached::time::Duration::from_secs(86_400))
            .connection_string(URL.get().map(String::as_str).unwrap_or_default())
            .build()
            .await
            .expect("a store of `cached`")
    } "##
)]
pub async fn by_number(id: u64) -> Result<Profile, String> {
    Ok(load(id))
}
