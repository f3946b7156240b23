#![deny(warnings)]

use std::fmt::Debug;

use cache_runtime::{KeyPart, cached, invalidates, write_through};

#[cached(key = "user:<id>")]
async fn get_user(id: u64) -> Result<String, ()> {
    Ok(id.to_string())
}

#[invalidates(get_user(id), tags = ["of:<part>", "got:<result>"])]
async fn generic<T, E, const N: usize>(id: u64, part: T, all: [E; N]) -> Result<usize, E>
where
    T: KeyPart + Clone + Send,
    E: Debug,
{
    drop(part);
    Ok(all.len())
}

#[invalidates(get_user(id))]
async fn implied(id: u64, name: impl Into<String>, with: impl Fn(&str) -> usize) -> usize {
    let name: String = name.into();
    with(&name)
}

#[write_through(get_user(id))]
async fn lifetimes<'a, 'b: 'a>(
    id: u64,
    first: &'a str,
    second: &'b str,
) -> Result<String, &'a str> {
    if first.is_empty() { Err(second) } else { Ok(format!("{first}{second}")) }
}

#[invalidates(get_user(*id))]
async fn returns_what_it_got<'a>(id: &'a u64) -> &'a u64 {
    id
}

struct Repo<T>(T);

impl<T: Clone + KeyPart> Repo<T> {
    #[invalidates(get_user(id), tags = ["repo:<self.0>"])]
    async fn update(&self, id: u64) -> Result<T, ()> {
        Ok(self.0.clone())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn runs() {
    let cache = cache_runtime::Cache::builder().in_memory().build().await.unwrap();
    let program = async {
        assert_eq!(generic(1, "x", [1, 2]).await, Ok(2));
        assert_eq!(implied(1, "abc", str::len).await, 3);
        assert_eq!(lifetimes(1, "a", "b").await, Ok("ab".to_owned()));
        assert_eq!(get_user(1).await, Ok("ab".to_owned()));
        assert_eq!(*returns_what_it_got(&1).await, 1);
        assert_eq!(Repo(7).update(1).await, Ok(7));
    };
    cache_runtime::scope(cache, program).await;
}
