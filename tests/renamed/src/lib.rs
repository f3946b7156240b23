//! A crate that knows the runtime under another name only.
#![deny(warnings)]

use renamed_cache::cached;

/// The runtime, re-exported as a crate of one's own would do it.
pub mod reexport {
    pub use renamed_cache as cache;
}

/// A user.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct User {
    /// The team.
    pub team: u64,
}

/// A user, by a path to the dependency.
///
/// # Errors
///
/// Never.
#[cached(
    key = "user:<org>:<id>",
    ttl = 60,
    stale = "1m",
    tags = ["users", "team:<org>:<result.team>"],
    none_ttl = 5,
    cache_if = |user| user.team > 0,
    jitter = "10%",
    crate = renamed_cache
)]
pub async fn get_user(org: u64, id: &str) -> Result<Option<User>, String> {
    Ok((!id.is_empty()).then_some(User { team: org }))
}

/// The same through a re-export, without a key.
#[cached(crate = crate::reexport::cache)]
pub async fn other(id: impl Into<String>, (a, b): (u64, u64)) -> Option<String> {
    Some(format!("{}{a}{b}", id.into()))
}

/// A store with methods.
#[derive(Clone, Debug)]
pub struct Repo {
    /// The tenant.
    pub tenant: String,
}

impl Repo {
    /// A method.
    #[cached(key = "repo:<self.tenant>:<id>", ttl = |value| std::time::Duration::from_secs(*value), crate = renamed_cache)]
    pub async fn number(&self, id: &[u64]) -> u64 {
        id.len() as u64 + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_renamed_runtime_serves() {
        assert_eq!(get_user(1, "a").await, Ok(Some(User { team: 1 })));
        assert_eq!(get_user::peek(1, "a").await, Some(User { team: 1 }));
        get_user::invalidate(1, "a").await.expect("an invalidation");
        assert_eq!(get_user::peek(1, "a").await, None);
        assert_eq!(other("x", (1, 2)).await.as_deref(), Some("x12"));
        let repo = Repo { tenant: "t".to_owned() };
        assert_eq!(repo.number(&[1, 2]).await, 3);
        assert_eq!(repo.number_key(&[1, 2]).as_str(), "repo:t:(1,2)");
    }
}
