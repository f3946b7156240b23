//! Type, const and lifetime parameters with where-clauses.

use std::fmt::Display;

use cache_runtime::{Cacheable, KeyPart, cached};

pub trait Store {
    type Id: KeyPart + Clone;
    fn find(&self, id: Self::Id) -> String;
}

pub struct Memory;

impl Store for Memory {
    type Id = u64;
    fn find(&self, id: u64) -> String {
        id.to_string()
    }
}

#[cached(key = "find:<id>", skip(store))]
async fn find<S>(store: &S, id: S::Id) -> String
where
    S: Store + ?Sized,
{
    store.find(id)
}

#[cached(key = "show:<id>:<N>", skip(unused))]
#[allow(non_snake_case)]
async fn show<'a, T: KeyPart + Display + 'a, U: Clone, const M: usize>(
    id: &'a T,
    N: [u8; M],
    unused: U,
) -> String
where
    U: Default,
{
    let _ = unused;
    format!("{id}{}", N.len())
}

pub trait Load: Cacheable {
    fn load(id: u64) -> Self;
}

impl Load for String {
    fn load(id: u64) -> Self {
        id.to_string()
    }
}

impl Load for u64 {
    fn load(id: u64) -> Self {
        id
    }
}

#[cached(ttl = 60)]
async fn load<T: Load, const N: usize>(id: u64) -> Option<T> {
    Some(T::load(id + N as u64))
}

#[cached(key = "owned:<id>")]
async fn owned<T>(id: T) -> Result<u64, String>
where
    T: KeyPart + Into<u64> + Send + 'static,
{
    Ok(id.into())
}

#[tokio::test]
async fn runs() {
    let cache = cache_runtime::Cache::builder().in_memory().build().await.unwrap();
    let program = async {
        assert_eq!(find(&Memory, 1).await, "1");
        assert_eq!(show(&1_u64, [1, 2], 3_u8).await, "12");
        assert_eq!(show::key(&1_u64, [1, 2]).as_str(), "show:1:(1,2)");
        assert_eq!(load::<String, 1>(1).await.unwrap(), "2");
        assert_eq!(load::<u64, 1>(1).await, Some(2));
        assert_ne!(load::key::<u64, 1>(1).as_str(), load::key::<String, 1>(1).as_str());
        assert_ne!(load::key::<u64, 1>(1).as_str(), load::key::<u64, 2>(1).as_str());
        assert_eq!(owned(1_u32).await, Ok(1));
        owned::invalidate(1_u32).await.unwrap();
    };
    cache_runtime::scope(cache, program).await;
}
