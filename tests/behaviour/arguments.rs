//! Parameters of every kind, `skip`, `crate`, and what is stored of each kind of result.

use std::sync::Arc;

use cache_runtime::cached;
use cache_tests::fixture::{goes_through_bytes, in_cache, load, loads};

mod inner {
    pub(super) mod renamed {
        pub(crate) use cache_runtime as kept;
    }
}

struct Database(u64);

#[cached(key = "row:<id>", ttl = 60, skip(database))]
async fn row(database: &Database, id: u64) -> u64 {
    load("row");
    database.0 + id
}

#[tokio::test]
async fn a_skipped_parameter_reaches_the_body_and_not_the_key() {
    in_cache(async |_, _| {
        assert_eq!(row(&Database(100), 1).await, 101);
        assert_eq!(row(&Database(200), 1).await, 101);
        assert_eq!(row(&Database(200), 2).await, 202);
        assert_eq!(loads("row"), 2);
        assert_eq!(row::key(1).as_str(), "row:1");
        row::invalidate(1).await.unwrap();
        assert_eq!(row(&Database(200), 1).await, 201);
    })
    .await;
}

#[cached(key = "odd:<key>:<ttl>:<cache>:<value>:<site>", ttl = 60)]
async fn odd_names(key: u8, ttl: &str, cache: bool, value: char, site: String) -> String {
    load("odd_names");
    format!("{key}{ttl}{cache}{value}{site}")
}

#[cached(key = "generic:<one>:<many>", ttl = 60)]
async fn generic<T>(one: T, many: &[u16]) -> String
where
    T: std::fmt::Display + cache_runtime::KeyPart + Send + 'static,
{
    load("generic");
    format!("{one}{many:?}")
}

#[cached(key = "pattern:<a>:<b>", ttl = 60)]
async fn destructured((a, mut b): (u8, u8), _: ()) -> u8 {
    load("destructured");
    b += 1;
    a + b
}

#[tokio::test]
async fn parameters_may_have_any_name_shape_and_type() {
    in_cache(async |_, _| {
        for _ in 0..2 {
            assert_eq!(odd_names(1, "two", true, 'd', "e".to_owned()).await, "1twotruede");
            assert_eq!(generic(5_u8, &[1, 2]).await, "5[1, 2]");
            assert_eq!(generic("x".to_owned(), &[1, 2]).await, "x[1, 2]");
        }
        assert_eq!((loads("odd_names"), loads("generic")), (1, 2));
    })
    .await;
}

#[cached(key = "renamed:<id>", ttl = 60, crate = inner::renamed::kept)]
async fn renamed(id: u8) -> u8 {
    load("renamed");
    id
}

#[tokio::test]
async fn the_runtime_may_have_another_name() {
    in_cache(async |_, _| {
        assert_eq!((renamed(1).await, renamed(1).await), (1, 1));
        assert_eq!(loads("renamed"), 1);
        renamed::invalidate(1).await.unwrap();
        assert_eq!(renamed(1).await, 1);
        assert_eq!(loads("renamed"), 2);
    })
    .await;
}

/// An error that can neither be cloned nor be serialised.
#[derive(Debug)]
struct DbError(u64);

#[cached(key = "fallible:<id>", ttl = 60)]
async fn fallible(id: u64) -> Result<u64, DbError> {
    match load("fallible") {
        1 => Err(DbError(id)),
        count => Ok(count),
    }
}

#[tokio::test]
async fn of_a_result_only_ok_is_stored() {
    in_cache(async |cache, _| {
        assert_eq!(fallible(1).await.unwrap_err().0, 1);
        assert!(!cache.has("fallible:1").await.unwrap());
        assert_eq!(fallible(1).await.unwrap(), 2);
        assert_eq!(fallible(1).await.unwrap(), 2);
        assert_eq!(loads("fallible"), 2);
        // The stored value is the `Ok`, not the `Result`.
        assert_eq!(cache.get::<u64>("fallible:1").await.unwrap(), Some(2));
    })
    .await;
}

#[cached(key = "shared:<id>", ttl = 60)]
async fn shared(id: u64) -> Arc<Vec<u64>> {
    Arc::new(vec![id])
}

#[cached(key = "shared_ok:<id>", ttl = 60)]
async fn shared_ok(id: u64) -> Result<Arc<str>, DbError> {
    Ok(id.to_string().into())
}

#[tokio::test]
async fn an_arc_is_handed_out_without_a_deep_copy() {
    in_cache(async |cache, _| {
        let loaded = shared(1).await;
        if goes_through_bytes() {
            assert_eq!(loaded, shared(1).await);
            return;
        }
        assert!(Arc::ptr_eq(&loaded, &shared(1).await));
        assert!(Arc::ptr_eq(&loaded, &shared::peek(1).await.unwrap()));
        assert!(Arc::ptr_eq(&loaded, &cache.get("shared:1").await.unwrap().unwrap()));
        let put = Arc::new(vec![5]);
        shared::put(1, &put).await.unwrap();
        assert!(Arc::ptr_eq(&put, &shared(1).await));
        let text = shared_ok(2).await.unwrap();
        assert!(Arc::ptr_eq(&text, &shared_ok(2).await.unwrap()));
    })
    .await;
}

#[tokio::test]
async fn functions_inside_functions_have_their_own_helpers() {
    #[cached(ttl = 60)]
    async fn local(id: u64) -> u64 {
        load("local one");
        id
    }
    async fn other() -> u64 {
        #[cached(ttl = 60)]
        async fn local(id: u64) -> u64 {
            load("local two");
            id + 1
        }
        local(1).await
    }
    in_cache(async |_, _| {
        assert_eq!((local(1).await, other().await, local(1).await, other().await), (1, 2, 1, 2));
        assert_eq!((loads("local one"), loads("local two")), (1, 1));
        local::invalidate_all().await.unwrap();
        assert_eq!((local(1).await, other().await), (1, 2));
        assert_eq!((loads("local one"), loads("local two")), (2, 1));
    })
    .await;
}

#[tokio::test]
async fn patterns_bind_as_without_the_attribute() {
    in_cache(async |_, _| {
        assert_eq!(destructured((1, 2), ()).await, 4);
        assert_eq!(destructured((1, 2), ()).await, 4);
        assert_eq!(destructured((2, 2), ()).await, 5);
        assert_eq!(loads("destructured"), 2);
    })
    .await;
}
