//! One `use` imports the function and its helpers, under any visibility.

mod service {
    pub mod users {
        use cache_runtime::cached;

        #[cached(key = "user:<id>")]
        pub async fn get_user(id: u64) -> u64 {
            id
        }

        #[cached(key = "a:<id>")]
        pub(crate) async fn in_crate(id: u64) -> u64 {
            private(id).await
        }

        #[cached(key = "b:<id>")]
        pub(in super::super::service) async fn in_service(id: u64) -> u64 {
            private::uncached(id).await
        }

        #[cached(key = "c:<id>")]
        async fn private(id: u64) -> u64 {
            id
        }
    }

    pub async fn use_it() -> u64 {
        users::in_service(1).await + users::in_service::uncached(1).await
    }

    pub use users::get_user as renamed;
}

use service::users::{get_user, in_crate};

#[tokio::test]
async fn runs() {
    let cache = cache_runtime::Cache::builder().in_memory().build().await.unwrap();
    let program = async {
        assert_eq!(get_user(1).await, 1);
        get_user::invalidate(1).await.unwrap();
        service::renamed::invalidate_all().await.unwrap();
        assert_eq!(service::renamed(1).await, 1);
        assert_eq!(in_crate::uncached(1).await, 1);
        assert_eq!(service::use_it().await, 2);
    };
    cache_runtime::scope(cache, program).await;
}
