//! Steps of the engine that no caller from outside can stop in between.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::{Step, begin, glance};
use crate::cache::core::{Core, Request, Tier};
use crate::cache::value::ops;
use crate::{Cache, Clock, Policy};

fn request(core: &Core) -> Arc<Request> {
    Arc::new(Request {
        text: "key".to_owned(),
        site: None,
        tags: Vec::new(),
        families: Vec::new(),
        policy: Policy::new(),
        ops: ops::<u64>(),
        counters: core.prefix_counters("key"),
    })
}

async fn begun(core: &Arc<Core>, request: &Arc<Request>) -> Step {
    let glance = glance(core, request).await;
    begin(core, request, glance).await
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// When this waiter joined, nobody knew yet whether the load would run in its caller.
#[tokio::test]
async fn a_waiter_that_joined_before_the_load_began_sees_that_it_stands_still() {
    let (clock, hand) = Clock::manual();
    let cache = Cache::builder().in_memory().clock(clock).build().await.expect("a cache in memory");
    let request = request(&cache.0);
    let Step::Lead(leader) = begun(&cache.0, &request).await else { panic!("nobody else loads") };
    let mut waiter = Box::pin(begun(&cache.0, &request));
    assert!(poll(waiter.as_mut()).is_pending());

    // The load wakes itself when it is polled, and is polled no more.
    let load = std::future::poll_fn(|context| {
        context.waker().wake_by_ref();
        Poll::<()>::Pending
    });
    let mut load = Box::pin(leader.run_here(load));
    assert!(poll(load.as_mut()).is_pending());
    for _ in 0..3 {
        hand.advance(Duration::from_secs(1));
        if let Poll::Ready(step) = poll(waiter.as_mut()) {
            assert!(matches!(step, Step::Lead(_)), "the waiter takes over");
            return;
        }
    }
    panic!("the waiter hangs");
}

/// A load that waits for something is not polled either.
#[tokio::test]
async fn a_load_that_was_not_woken_is_not_taken_over() {
    let (clock, hand) = Clock::manual();
    let cache = Cache::builder().in_memory().clock(clock).build().await.expect("a cache in memory");
    let request = request(&cache.0);
    let Step::Lead(leader) = begun(&cache.0, &request).await else { panic!("nobody else loads") };
    let mut load = Box::pin(leader.run_here(std::future::pending::<()>()));
    assert!(poll(load.as_mut()).is_pending());
    let mut waiter = Box::pin(begun(&cache.0, &request));
    for _ in 0..100 {
        assert!(poll(waiter.as_mut()).is_pending());
        hand.advance(Duration::from_secs(1));
    }
    drop(load);
    drop(leader);
    assert!(matches!(poll(waiter.as_mut()), Poll::Ready(Step::Lead(_))));
}

/// Of two who announce a write of one key at once, only one may store what it wrote.
#[test]
fn a_key_has_one_claim_at_a_time() {
    const ROUNDS: usize = 100_000;
    let cache = Cache::builder().in_memory().build_now().expect("a cache in memory");
    let arrived = AtomicUsize::new(0);
    // The threads meet without sleeping, so that their steps mix.
    let meet = |count: usize| {
        arrived.fetch_add(1, Ordering::SeqCst);
        while arrived.load(Ordering::SeqCst) < count {
            std::thread::yield_now();
        }
    };
    let claims = || {
        (0..ROUNDS).fold(0, |held, round| {
            meet(4 * round + 2);
            let claim = cache.0.claim_write("key").expect("memory keeps claims");
            meet(4 * round + 4);
            held + usize::from(claim.holds())
        })
    };
    let held = std::thread::scope(|scope| {
        let other = scope.spawn(claims);
        claims() + other.join().expect("no panic")
    });
    assert_eq!(held, ROUNDS, "claims that held, one in each round");
}

/// Whoever loads between the removals of two names may be served what the second one removes, by
/// another function that its own calls: what it makes of that must not stay.
#[tokio::test]
async fn a_load_that_begins_in_the_middle_of_a_removal_is_not_stored() {
    let cache = Cache::builder().build().await.expect("a cache in memory");
    let load = async |value: u64| {
        cache.get_or_set("key", || async move { Ok::<_, ()>(value) }).await.expect("it loads")
    };
    let Tier::Memory(store) = &cache.0.tier else { panic!("a cache in memory") };
    let sweep = store.sweep();
    assert_eq!((load(1).await, load(2).await), (1, 2));
    drop(sweep);
    assert_eq!((load(3).await, load(4).await), (3, 3));
}
