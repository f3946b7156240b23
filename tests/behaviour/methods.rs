//! Methods and their sibling helpers.

use std::sync::Arc;

use cache_runtime::cached;
use cache_tests::fixture::{goes_through_bytes, in_cache, load, loads};

#[derive(Clone)]
struct Repository {
    tenant: u32,
}

impl Repository {
    #[cached(key = "t:<self.tenant>:user:<id>", ttl = 60, tags = ["tenant:<self.tenant>"])]
    async fn get_user(&self, id: u64) -> Result<String, String> {
        Ok(format!("{}-{id} load {}", self.tenant, load("get_user")))
    }

    #[cached(key = "config:<name>", ttl = 60)]
    async fn config(name: &str) -> String {
        format!("{name} load {}", load("config"))
    }

    #[cached(key = "shared:<self.tenant>:<id>", ttl = 60, stale = 60)]
    async fn shared(self: Arc<Self>, id: u64) -> u64 {
        load("shared") + id + u64::from(self.tenant)
    }

    #[cached(key = "mutable:<id>", ttl = 60, skip(self))]
    async fn mutable(&mut self, id: u64) -> u64 {
        self.tenant += 1;
        id + u64::from(self.tenant)
    }
}

#[tokio::test]
async fn a_method_caches_by_what_its_key_reads_of_self() {
    in_cache(async |_, _| {
        let (one, two) = (Repository { tenant: 1 }, Repository { tenant: 2 });
        assert_eq!(one.get_user(5).await.unwrap(), "1-5 load 1");
        assert_eq!(two.get_user(5).await.unwrap(), "2-5 load 2");
        assert_eq!(one.get_user(5).await.unwrap(), "1-5 load 1");
        assert_eq!(one.clone().get_user(5).await.unwrap(), "1-5 load 1");
    })
    .await;
}

#[tokio::test]
async fn helpers_of_methods_are_siblings() {
    in_cache(async |cache, _| {
        let (one, two) = (Repository { tenant: 1 }, Repository { tenant: 2 });
        assert_eq!(one.get_user_key(5).as_str(), "t:1:user:5");
        assert_eq!(one.get_user_peek(5).await, None);
        one.get_user(5).await.unwrap();
        two.get_user(5).await.unwrap();
        assert_eq!(one.get_user_peek(5).await.as_deref(), Some("1-5 load 1"));
        one.get_user_put(5, &"put".to_owned()).await.unwrap();
        assert_eq!(one.get_user(5).await.unwrap(), "put");
        assert_eq!(one.get_user_refresh(5).await.unwrap(), "1-5 load 3");
        assert_eq!(one.get_user(5).await.unwrap(), "1-5 load 3");
        assert_eq!(one.get_user_uncached(5).await.unwrap(), "1-5 load 4");
        one.get_user_invalidate(5).await.unwrap();
        assert_eq!(one.get_user_peek(5).await, None);
        assert!(two.get_user_peek(5).await.is_some());
        cache.invalidate_tag("tenant:2").await.unwrap();
        assert_eq!(two.get_user_peek(5).await, None);
        one.get_user(5).await.unwrap();
        Repository::get_user_invalidate_all().await.unwrap();
        assert_eq!(one.get_user_peek(5).await, None);
    })
    .await;
}

#[tokio::test]
async fn associated_functions_and_other_receivers_are_cached_too() {
    in_cache(async |_, _| {
        assert_eq!(Repository::config("a").await, "a load 1");
        assert_eq!(Repository::config("a").await, "a load 1");
        assert_eq!(Repository::config_key("a").as_str(), "config:a");
        Repository::config_invalidate("a").await.unwrap();
        assert_eq!(Repository::config("a").await, "a load 2");
        let shared = Arc::new(Repository { tenant: 10 });
        assert_eq!(Arc::clone(&shared).shared(5).await, 16);
        assert_eq!(shared.shared(5).await, 16);
        assert_eq!(loads("shared"), 1);
        let mut mutable = Repository { tenant: 0 };
        assert_eq!((mutable.mutable(1).await, mutable.mutable(1).await), (2, 2));
        assert_eq!(mutable.tenant, 1);
    })
    .await;
}

struct Other;

impl Other {
    #[cached(ttl = 60, skip(self))]
    async fn same(&self, id: u64) -> u64 {
        load("Other");
        id
    }
}

struct Another;

impl Another {
    #[cached(ttl = 60, skip(self))]
    async fn same(&self, id: u64) -> u64 {
        load("Another");
        id + 100
    }
}

#[tokio::test]
async fn methods_of_one_name_on_two_types_do_not_meet() {
    in_cache(async |_, _| {
        assert_eq!((Other.same(1).await, Another.same(1).await), (1, 101));
        assert_eq!((Other.same(1).await, Another.same(1).await), (1, 101));
        assert_ne!(Other.same_key(1).as_str(), Another.same_key(1).as_str());
        Other::same_invalidate_all().await.unwrap();
        assert_eq!((Other.same(1).await, Another.same(1).await), (1, 101));
        // In a store that processes share, functions with one template are invalidated together.
        let others = if goes_through_bytes() { 2 } else { 1 };
        assert_eq!((loads("Other"), loads("Another")), (2, others));
    })
    .await;
}
