//! Functions of an impl without a receiver, with and without `Self` in them.

use cache_runtime::cached;

#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct User {
    id: u64,
}

impl User {
    #[cached(key = "user:<id>")]
    pub async fn find(id: u64) -> Option<Self> {
        Some(Self { id })
    }

    #[cached(key = "count:<org>")]
    pub async fn count(org: u64) -> u64 {
        org
    }
}

mod inner {
    impl super::User {
        #[cache_runtime::cached]
        pub(super) async fn nested(org: u64) -> u64 {
            org
        }
    }
}

#[tokio::test]
async fn runs() {
    let cache = cache_runtime::Cache::builder().in_memory().build().await.unwrap();
    let program = async {
        assert_eq!(User::find(1).await, Some(User { id: 1 }));
        assert_eq!(User::find_key(1).as_str(), "user:1");
        assert_eq!(User::count(2).await, 2);
        User::count_invalidate(2).await.unwrap();
        User::count_invalidate_all().await.unwrap();
        assert_eq!(User::nested(3).await, 3);
    };
    cache_runtime::scope(cache, program).await;
}
