//! Modules that shadow the prelude and `std` names.

#![allow(dead_code, non_camel_case_types)]

struct Option;
struct Result;
struct Some;
struct Ok;
struct String;
struct Box;
struct Vec;
trait Into {}
trait Future {}
mod core {}
mod std {}
mod cache {}
mod ms {}

use ::cache_runtime::cached;

#[cached(key = "a:<id>:<name>", ttl = 60, tags = ["t:<id>", "r:<result>"])]
async fn get(id: u64, name: &str) -> u64 {
    id + name.len() as u64
}

#[cached(key = "b:<id>", ttl = 60, stale = 60)]
async fn optional(id: u64) -> ::core::option::Option<u64> {
    ::core::option::Option::Some(id)
}

#[tokio::test]
async fn runs() {
    let cache = cache_runtime::Cache::builder().in_memory().build().await.unwrap();
    let program = async {
        assert_eq!(get(1, "a").await, 2);
        assert!(optional(1).await.is_some());
    };
    cache_runtime::scope(cache, program).await;
}
