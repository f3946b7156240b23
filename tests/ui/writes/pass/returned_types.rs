#![deny(warnings)]

use std::error::Error;
use std::fmt::Display;

use cache_runtime::{cached, invalidates, write_through};

type Fallible<T> = Result<T, Box<dyn Error + Send + Sync>>;
type Maybe<T> = Option<T>;

#[derive(Debug, PartialEq)]
struct Failed;

impl From<cache_runtime::Error> for Failed {
    fn from(_: cache_runtime::Error) -> Self {
        Failed
    }
}

#[cached(key = "name:<id>")]
async fn name(id: u64) -> Option<String> {
    Some(id.to_string())
}

#[invalidates(name(id), tags = ["n:<result>"])]
async fn alias_of_a_result(id: u64) -> Fallible<u64> {
    if id == 0 {
        return Err(Box::new(std::io::Error::other("zero")));
    }
    let parsed: u64 = "7".parse()?;
    Ok(parsed)
}

#[invalidates(name(id), tags = ["n:<result>"])]
async fn alias_of_an_option(id: u64) -> Maybe<u64> {
    (id > 0).then_some(id)
}

#[invalidates(name(id), tags = ["n:<result.0>"])]
async fn option_in_a_result(id: u64) -> Result<Option<(u64, u64)>, Failed> {
    Ok(None.or((id > 1).then_some((id, id))))
}

#[invalidates(name(id), on_error = "return")]
async fn error_of_the_cache(id: u64) -> Result<(), Failed> {
    if id == 0 { Err(Failed) } else { Ok(()) }
}

#[invalidates(name(id))]
async fn nothing(id: u64) {
    if id == 0 {
        return;
    }
    drop(id.to_string());
}

#[invalidates(name)]
async fn nameless() -> impl Display {
    "shown"
}

#[invalidates(name)]
async fn borrowed<'a>(all: &'a [String], _by: &str) -> Option<&'a String> {
    all.first()
}

#[write_through(name(id))]
async fn optional(id: u64) -> Fallible<Option<String>> {
    Ok((id > 1).then(|| "written".to_owned()))
}

#[write_through(name(id), name(id + 1))]
async fn plain(id: u64) -> String {
    format!("plain {id}")
}

#[tokio::test(flavor = "multi_thread")]
async fn runs() {
    let cache = cache_runtime::Cache::builder().in_memory().build().await.unwrap();
    let program = async {
        assert!(alias_of_a_result(0).await.is_err());
        assert_eq!(alias_of_a_result(1).await.ok(), Some(7));
        assert_eq!(alias_of_an_option(0).await, None);
        assert_eq!(alias_of_an_option(1).await, Some(1));
        assert_eq!(option_in_a_result(1).await, Ok(None));
        assert_eq!(option_in_a_result(2).await, Ok(Some((2, 2))));
        assert_eq!(error_of_the_cache(0).await, Err(Failed));
        assert_eq!(error_of_the_cache(1).await, Ok(()));
        nothing(0).await;
        assert_eq!(nameless().await.to_string(), "shown");
        assert_eq!(borrowed(&["x".to_owned()], "").await.map(String::as_str), Some("x"));
        assert_eq!(optional(2).await.ok(), Some(Some("written".to_owned())));
        assert_eq!(name(2).await, Some("written".to_owned()));
        assert_eq!(optional(1).await.ok(), Some(None));
        assert_eq!(name(1).await, Some("1".to_owned()));
        plain(5).await;
        assert_eq!(name(6).await, Some("plain 5".to_owned()));
    };
    cache_runtime::scope(cache, program).await;
}
