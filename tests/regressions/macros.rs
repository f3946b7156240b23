//! What the macros of others make of a function.

use std::io;
use std::time::{Duration, Instant};

use cache_runtime::cached;
use cache_tests::fixture::{in_cache, in_cache_of, load, loads};

// `cached` 114: an argument called `key` collides with the expansion.
#[cached(key = "of:<key>:<cache>:<plan>:<hit>:<result>", ttl = 60)]
async fn of_names(key: &str, cache: u8, plan: u8, hit: u8, result: u8) -> String {
    load("of_names");
    format!("{key}{cache}{plan}{hit}{result}")
}

#[tokio::test]
async fn an_argument_may_be_called_key() {
    in_cache(async |_, _| {
        assert_eq!(of_names("k", 1, 2, 3, 4).await, "k1234");
        assert_eq!(of_names("k", 1, 2, 3, 4).await, "k1234");
        assert_eq!(loads("of_names"), 1);
    })
    .await;
}

// `cached` 80, 139, 84, 55: generics and `&str` arguments.
#[cached(ttl = 60)]
async fn generic<T: ToString + cache_runtime::KeyPart + Send + 'static>(
    value: T,
    suffix: &str,
) -> String {
    load("generic");
    value.to_string() + suffix
}

#[tokio::test]
async fn generics_and_references_are_arguments_like_others() {
    in_cache(async |_, _| {
        assert_eq!(generic(1_u8, "a").await, "1a");
        assert_eq!(generic(1_u64, "a").await, "1a");
        assert_eq!(generic("1".to_owned(), "a").await, "1a");
        assert_eq!(generic(1_u8, "a").await, "1a");
        assert_eq!(loads("generic"), 3);
    })
    .await;
}

// `cached`: an alias of `Result` is cached whole, errors included.
#[cached(key = "file:<name>", ttl = 60)]
async fn file(name: &str) -> io::Result<u64> {
    let count = load("file");
    if count == 1 { Err(io::Error::other(name.to_owned())) } else { Ok(count) }
}

#[tokio::test]
async fn an_alias_of_result_stores_only_ok() {
    in_cache(async |_, _| {
        assert_eq!(file("a").await.unwrap_err().to_string(), "a");
        assert_eq!(file("a").await.unwrap(), 2);
        assert_eq!(file("a").await.unwrap(), 2);
    })
    .await;
}

mod one {
    use super::{cached, load};

    #[cached(ttl = 60)]
    pub(super) async fn same_name(id: u64) -> u64 {
        load("one");
        id
    }
}

mod two {
    use super::{cached, load};

    #[cached(ttl = 60)]
    pub(super) async fn same_name(id: u64) -> u64 {
        load("two");
        id + 1
    }
}

// `cached`: two functions of one name in different modules share a prefix; the default key holds
// no module path.
#[tokio::test]
async fn functions_of_one_name_in_two_modules_do_not_meet() {
    in_cache(async |_, _| {
        assert_eq!((one::same_name(1).await, two::same_name(1).await), (1, 2));
        one::same_name::invalidate_all().await.unwrap();
        two::same_name(1).await;
        assert_eq!((loads("one"), loads("two")), (1, 1));
        assert_ne!(one::same_name::key(1).as_str(), two::same_name::key(1).as_str());
    })
    .await;
}

// Two functions whose templates meet, with values of different types: never one's value as the
// other's.
#[tokio::test]
async fn values_of_another_function_under_the_same_key_are_not_mistaken() {
    #[cached(key = "same:<id>", ttl = 60)]
    async fn number(id: u64) -> u64 {
        id
    }
    #[cached(key = "same:<id>", ttl = 60)]
    async fn text(id: u64) -> String {
        id.to_string()
    }
    in_cache(async |_, _| {
        for _ in 0..3 {
            assert_eq!((number(1).await, text(1).await), (1, "1".to_owned()));
        }
    })
    .await;
}

#[cached(key = "hit:<id>", ttl = 3600)]
async fn hit(id: u64) -> u64 {
    id
}

/// The best of many rounds over entries that are all there: noise only ever adds.
async fn time_of_1000_hits(entries: u64) -> Duration {
    for id in 0..entries {
        hit(id).await;
    }
    let mut best = Duration::MAX;
    for _ in 0..30 {
        let begin = Instant::now();
        for step in 0..1_000 {
            assert_eq!(hit(step % entries).await, step % entries);
        }
        best = best.min(begin.elapsed());
    }
    best
}

// cachelito: a hit is O(n), 1,000 times slower with 1,000 entries.
#[tokio::test]
async fn a_hit_does_not_become_slower_with_the_number_of_entries() {
    in_cache_of(
        |cache| cache.max_entries(1_000_000),
        async |_, _| {
            let few = time_of_1000_hits(10).await;
            let many = time_of_1000_hits(30_000).await;
            assert!(many < few * 20, "{few:?} with 10 entries, {many:?} with 30,000");
        },
    )
    .await;
}
