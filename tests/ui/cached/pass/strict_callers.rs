//! A crate that denies everything and forbids `unsafe`.

#![deny(
    warnings,
    missing_docs,
    clippy::all,
    clippy::pedantic,
    unreachable_pub,
    elided_lifetimes_in_paths
)]
#![deny(missing_debug_implementations, unused_qualifications, trivial_casts, single_use_lifetimes)]
#![forbid(unsafe_code)]

use cache_runtime::cached;

/// A store of users.
#[derive(Clone, Debug)]
pub struct Repo {
    tenant: String,
}

impl Repo {
    /// A store.
    #[must_use]
    pub fn new(tenant: &str) -> Self {
        Self { tenant: tenant.to_owned() }
    }

    /// A name.
    ///
    /// # Errors
    ///
    /// Where there is none.
    #[cached(key = "name:<self.tenant>:<id>", tags = ["t:<self.tenant>", "n:<result>"], ttl = 60)]
    pub async fn name(&self, id: u64) -> Result<String, String> {
        tokio::task::yield_now().await;
        Ok(format!("{}{id}", self.tenant))
    }

    /// A number.
    #[cached(ttl = 60, stale = 60)]
    pub async fn number(&self, (a, b): (u64, u64), text: &str) -> Option<u64> {
        tokio::task::yield_now().await;
        Some(a + b + text.len() as u64)
    }
}

/// A user.
///
/// # Errors
///
/// Where there is none.
#[cached(key = "user:<name>:<list>", ttl = 60, cache_if = |user| !user.is_empty(), skip(db))]
pub async fn get_user(name: &str, list: &[u64], db: &Repo) -> Result<Vec<String>, String> {
    tokio::task::yield_now().await;
    Ok(list.iter().map(|each| format!("{name}{each}{}", db.tenant)).collect())
}

#[cached(key = "private:<id>")]
async fn private(id: u64) -> u64 {
    tokio::task::yield_now().await;
    id
}

#[tokio::test]
async fn runs() {
    let cache = cache_runtime::Cache::builder().in_memory().build().await.unwrap();
    let program = async {
        let repo = Repo::new("t");
        assert!(repo.name(1).await.is_ok());
        assert!(repo.number((1, 2), "a").await.is_some());
        assert!(get_user("a", &[1], &repo).await.is_ok());
        assert_eq!(private(1).await, 1);
    };
    cache_runtime::scope(cache, program).await;
}
