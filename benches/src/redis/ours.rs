//! Ours: annotated functions on the cache that is installed.

use std::convert::Infallible;

use cache_runtime::cached;

use super::profile::{Profile, load, team_of};

/// Without any tag; its entries still carry the function's own mark.
#[cached(key = "plain:<id>", ttl = 86400)]
pub async fn untagged(id: u64) -> Result<Profile, Infallible> {
    Ok(load(id))
}

/// With one tag that all entries have.
#[cached(key = "one:<id>", ttl = 86400, tags = ["profiles"])]
pub async fn with_one_tag(id: u64) -> Result<Profile, Infallible> {
    Ok(load(id))
}

/// With three tags, two of which have to be put together.
#[cached(
    key = "three:<id>:<team>",
    ttl = 86400,
    tags = ["profiles", "team:<team>", "profile:<id>"]
)]
pub async fn with_three_tags(id: u64, team: u32) -> Result<Profile, Infallible> {
    debug_assert_eq!(team, team_of(id));
    Ok(load(id))
}

/// With a tag that is invalidated while many entries carry it.
#[cached(key = "bulk:<id>", ttl = 86400, tags = ["bulk"])]
pub async fn in_bulk(id: u64) -> Result<Profile, Infallible> {
    Ok(load(id))
}

/// The namespace of all of them.
pub const NAMESPACE: &str = "bench";
