//! Functions made by `macro_rules`, with names of either side.

use cache_runtime::cached;

macro_rules! typed_key {
    ($id:ident) => {
        cache_runtime::Key::new(format!("by:{}", $id))
    };
}

macro_rules! getter {
    ($name:ident, $id:ident: $ty:ty => $out:ty, $key:literal, $ttl:expr, $body:expr) => {
        #[cached(key = $key, ttl = $ttl)]
        pub async fn $name($id: $ty, own: u64) -> $out {
            let _ = own;
            $body
        }
    };
}

getter!(get_user, id: u64 => Option<u64>, "user:<id>:<own>", 60, Some(id));
getter!(get_org, id: &str => Result<Vec<u64>, String>, "org:<id>:<own>", "1h", Ok(vec![id.len() as u64]));

macro_rules! repo {
    ($name:ident { $($method:ident),* }) => {
        struct $name(Inner);

        impl $name {
            $(
                #[cached(key = "m:<self.0.id>:<id>")]
                async fn $method(&self, id: u64) -> u64 {
                    id + self.0.id
                }
            )*

            #[cached(skip(unused))]
            async fn associated(id: u64, unused: u8) -> u64 {
                let _ = unused;
                id
            }
        }
    };
}

struct Inner {
    id: u64,
}

repo!(Repo { first, second });

#[cached(key = typed_key!(id))]
async fn by_macro(id: u64) -> u64 {
    id
}

#[tokio::test]
async fn runs() {
    let cache = cache_runtime::Cache::builder().in_memory().build().await.unwrap();
    let program = async {
        assert_eq!(get_user(1, 2).await, Some(1));
        assert_eq!(get_user::key(1, 2).as_str(), "user:1:2");
        assert_eq!(get_org("ab", 2).await, Ok(vec![2]));
        let repo = Repo(Inner { id: 1 });
        assert_eq!(repo.first(1).await + repo.second(2).await, 5);
        assert_eq!(repo.first_key(2).as_str(), "m:1:2");
        assert_eq!(Repo::associated(1, 2).await, 1);
        assert_eq!(by_macro(1).await, 1);
        assert_eq!(by_macro::key(1).as_str(), "by:1");
    };
    cache_runtime::scope(cache, program).await;
}
