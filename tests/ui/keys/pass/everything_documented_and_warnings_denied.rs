#![deny(warnings, missing_docs, unreachable_pub, missing_debug_implementations)]
#![forbid(unsafe_code)]
//! A crate that is strict with itself.

use std::net::{IpAddr, Ipv4Addr};

use cache_runtime::{Key, cache_keys};

/// A user.
#[derive(Debug)]
pub struct User;

/// An organization.
#[derive(Debug)]
pub struct Organization;

/// Every key of the service.
#[cache_keys]
pub trait CacheKeys {
    /// One user's profile.
    #[key("user:<id>", ttl = 1800, tags = ["users"])]
    fn user(id: &str) -> User;
    /// What a user belongs to.
    #[key("user:<id>:organizations")]
    fn user_organizations(id: &str) -> Vec<Organization>;
    /// Requests in this window.
    #[key("ratelimit:<path>:<ip>")]
    fn rate_limit(ip: IpAddr, path: &str) -> u64;
}

#[test]
fn runs() {
    let user: Key<User> = CacheKeys::user("123");
    assert_eq!(user.as_str(), "user:123");
    assert_eq!(user.ttl().map(|ttl| ttl.as_secs()), Some(1800));
    assert_eq!(user.tags()[0].as_str(), "users");
    assert_eq!(CacheKeys::user_pattern("123").as_str(), "user:123:*");
    assert_eq!(CacheKeys::user_organizations("123").as_str(), "user:123:organizations");
    let ip = IpAddr::V4(Ipv4Addr::new(192, 168, 1, 1));
    assert_eq!(
        CacheKeys::rate_limit(ip, "/api/users").as_str(),
        "ratelimit:/api/users:192.168.1.1"
    );
    let _ = (
        CacheKeys,
        CacheKeys::user_organizations_pattern("1"),
        CacheKeys::rate_limit_pattern(ip, "/"),
    );
}
