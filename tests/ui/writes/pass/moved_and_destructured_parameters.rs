#![deny(warnings)]
// Odd on purpose.
#![allow(clippy::useless_format)]

use cache_runtime::{cached, invalidates, write_through};

#[derive(Clone)]
struct Patch {
    id: String,
    r#type: String,
    owner: (u64, String),
}

#[cached(key = "user:<id>")]
async fn get_user(id: String) -> Result<String, ()> {
    Ok(id)
}

#[cached(key = "both:<a>:<b>")]
async fn both(a: u64, b: String) -> String {
    format!("{a}{b}")
}

#[invalidates(
    get_user(patch.id),
    both(patch.owner.0, patch.owner.1),
    tags = ["type:<patch.type>", "of:<patch.owner.0>:<result>"],
)]
async fn fields(patch: Patch) -> Result<usize, ()> {
    let Patch { id, r#type, owner } = patch;
    Ok(id.len() + r#type.len() + owner.1.len())
}

#[invalidates(get_user(id), both(number, name), tags = ["n:<number>:<result>"])]
async fn patterns(
    Patch { id, .. }: Patch,
    (mut number, name): (u64, String),
    [_, last]: [u8; 2],
    _: &str,
    mut unused: Vec<u8>,
) -> u64 {
    number += u64::from(last);
    unused.push(last);
    drop((id, name));
    number
}

#[invalidates(get_user(ids[0].clone()), get_user(ids[1]), both(*count, format!("{name}")))]
async fn expressions(ids: &[String], count: &u64, name: &str) -> usize {
    ids.len() + name.len() + usize::try_from(*count).unwrap_or(0)
}

#[invalidates(get_user(name), both(result, name))]
async fn after_a_move(name: String) -> u64 {
    drop(name);
    1
}

#[write_through(get_user(id))]
async fn written(id: String, name: String) -> Result<String, ()> {
    drop(id);
    Ok(name)
}

#[tokio::test(flavor = "multi_thread")]
async fn runs() {
    let cache = cache_runtime::Cache::builder().in_memory().build().await.unwrap();
    let program = async {
        let patch = Patch { id: "i".into(), r#type: "t".into(), owner: (1, "o".into()) };
        assert_eq!(fields(patch.clone()).await, Ok(3));
        assert_eq!(patterns(patch, (1, "x".into()), [1, 2], "", Vec::new()).await, 3);
        assert_eq!(expressions(&["a".into(), "b".into()], &3, "n").await, 6);
        assert_eq!(after_a_move("x".into()).await, 1);
        assert_eq!(written("w".into(), "v".into()).await, Ok("v".to_owned()));
        assert_eq!(get_user("w".into()).await, Ok("v".to_owned()));
    };
    cache_runtime::scope(cache, program).await;
}
