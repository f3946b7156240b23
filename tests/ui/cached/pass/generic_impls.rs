//! Methods of generic types.

use cache_runtime::{Cacheable, KeyPart, cached};

pub struct Repo<'a, T, const N: usize> {
    name: &'a str,
    value: T,
}

impl<'a, T: Cacheable, const N: usize> Repo<'a, T, N>
where
    T: PartialEq,
{
    #[cached(key = "repo:<self.name>:<id>")]
    async fn get(&self, id: u64) -> Option<T> {
        (id > 0).then(|| self.value.clone())
    }

    #[cached(key = "repo:<self.name>:<id>:x", skip(extra))]
    async fn with<U: Clone, I>(&self, id: I, extra: U) -> Result<T, U>
    where
        I: KeyPart,
    {
        let _ = (id, extra);
        Ok(self.value.clone())
    }
}

#[tokio::test]
async fn runs() {
    let cache = cache_runtime::Cache::builder().in_memory().build().await.unwrap();
    let program = async {
        let repo: Repo<'_, u64, 2> = Repo { name: "r", value: 1 };
        assert_eq!(repo.get(1).await, Some(1));
        assert_eq!(repo.with("a", 1_u8).await, Ok(1));
        assert_eq!(repo.with_key("a").as_str(), "repo:r:a:x");
    };
    cache_runtime::scope(cache, program).await;
}
