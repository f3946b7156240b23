//! Doors to what is private otherwise, for the fuzz targets. No part of the interface: it may change
//! with every version.

use std::ffi::OsString;

pub use crate::provider::redis_fuzzing::{
    RedisStream, RedisUrl, redis_hit, redis_stream, redis_url,
};
pub use crate::provider::upstash_fuzzing::{rest_provider, rest_token, rest_url};
use crate::{Config, Pattern, Result};

/// Whether a text fits a pattern, and how many steps it took to say so.
pub fn matches_counted(pattern: &Pattern, text: &str) -> (bool, usize) {
    pattern.matches_counted(text)
}

/// The configuration out of variables that may be no text.
///
/// # Errors
///
/// As [`Config::from_env`].
pub fn config(lookup: &dyn Fn(&str) -> Option<OsString>) -> Result<Config> {
    Config::from_lookup(lookup)
}
