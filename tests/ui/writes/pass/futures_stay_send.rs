#![deny(warnings)]

use std::cell::Cell;

use cache_runtime::{cached, invalidates, write_through};

#[cached(key = "user:<id>")]
async fn get_user(id: u64) -> Result<String, ()> {
    Ok(id.to_string())
}

/// May move between threads, but two must not look at it.
struct NotSync(Cell<u64>);

#[invalidates(get_user(id), get_user(result.0.get()), tags = ["id:<id>:<name>", "org:<id>"])]
async fn update(id: u64, name: &str, state: NotSync) -> Result<NotSync, Cell<u64>> {
    tokio::task::yield_now().await;
    state.0.set(state.0.get() + id + name.len() as u64);
    Ok(state)
}

#[write_through(get_user(id))]
async fn rename(id: u64, name: String) -> Result<String, Cell<u64>> {
    tokio::task::yield_now().await;
    Ok(name)
}

fn is_send<F: Future + Send>(future: F) -> F {
    future
}

#[tokio::test(flavor = "multi_thread")]
async fn runs() {
    let cache = cache_runtime::Cache::builder().in_memory().build().await.unwrap();
    let program = async {
        let state = is_send(update(1, "x", NotSync(Cell::new(0)))).await;
        assert_eq!(state.map(|state| state.0.get()).ok(), Some(2));
        assert_eq!(tokio::spawn(rename(1, "y".into())).await.ok(), Some(Ok("y".to_owned())));
    };
    cache_runtime::scope(cache, program).await;
}
