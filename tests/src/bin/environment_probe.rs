//! Tells a test what the runtime makes of this process's environment.
//!
//! `init` prints the cache or the error; `first-use` calls an annotated function three times
//! without `init`; `repair` calls it twice, corrects the environment, calls `init`, and goes on.

use std::sync::atomic::{AtomicU64, Ordering};

use cache_runtime::{cache, cached, init};
use cache_tests::events::Events;

static LOADS: AtomicU64 = AtomicU64::new(0);

#[cached(key = "probe:<id>")]
async fn probe(id: u64) -> u64 {
    LOADS.fetch_add(1, Ordering::Relaxed) + id
}

async fn call(times: u64) -> u64 {
    let before = LOADS.load(Ordering::Relaxed);
    for _ in 0..times {
        probe(1).await;
    }
    LOADS.load(Ordering::Relaxed) - before
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let events = Events::default();
    let _listening = events.listen();
    match std::env::args().nth(1).as_deref() {
        Some("init") => match init().await {
            Ok(cache) => println!("ok {cache:?}"),
            Err(error) => println!("error {:?} {error}", error.kind()),
        },
        Some("first-use") => {
            println!("loads {} {:?}", call(3).await, cache());
            let changes = [
                ("key", probe::invalidate(1).await),
                ("function", probe::invalidate_all().await),
                ("tag", cache().invalidate_tag("tag").await),
                ("pattern", cache().invalidate_pattern("*").await.map(drop)),
                ("clear", cache().clear().await),
                ("put", probe::put(1, &2).await),
                ("set", cache().set("key", &2_u64).await),
            ];
            for (what, done) in changes {
                match done {
                    Ok(()) => println!("{what}: done"),
                    Err(error) => println!("{what}: {:?} {error}", error.kind()),
                }
            }
        }
        Some("repair") => {
            println!("loads before {}", call(2).await);
            // SAFETY: this is the only thread of the process.
            unsafe { std::env::set_var("CACHE_DEFAULT_TTL", "60") };
            init().await.expect("the environment is sound now");
            println!("loads after {}", call(2).await);
        }
        other => panic!("unknown mode {other:?}"),
    }
    for event in events.take() {
        println!("{event}");
    }
}
