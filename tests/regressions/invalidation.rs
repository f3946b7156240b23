//! Invalidations that others lose.

use std::sync::Arc;

use cache_runtime::{Cache, cached};
use cache_tests::fixture::{in_cache, load, loads, seconds, settle};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

#[cached(key = "slow:<id>", ttl = 60, stale = 60, early = 0.000001, tags = ["slow"], skip(gate))]
async fn slow(id: u64, gate: Arc<Notify>) -> u64 {
    let count = load("slow");
    gate.notified().await;
    id + count
}

fn spawn_slow(cache: &Cache, gate: &Arc<Notify>) -> JoinHandle<u64> {
    tokio::spawn(cache_runtime::scope(cache.clone(), slow(0, Arc::clone(gate))))
}

/// An open gate, and a gate with a load behind it.
async fn load_in_flight(cache: &Cache) -> (Arc<Notify>, JoinHandle<u64>) {
    let gate = Arc::new(Notify::new());
    let task = spawn_slow(cache, &gate);
    settle().await;
    assert_eq!(loads("slow"), 1);
    (gate, task)
}

// FusionCache 625 and 535: `Remove` while the factory runs is lost, since the factory stores its
// value afterwards.
#[tokio::test]
async fn a_key_removed_while_it_loads_stays_removed() {
    for way in 0..5 {
        in_cache(async |cache, _| {
            let (gate, task) = load_in_flight(&cache).await;
            match way {
                0 => slow::invalidate(0).await.unwrap(),
                1 => cache.invalidate("slow:0").await.unwrap(),
                2 => drop(cache.delete("slow:0").await.unwrap()),
                3 => drop(cache.invalidate_pattern("slow:*").await.unwrap()),
                _ => cache.clear().await.unwrap(),
            }
            gate.notify_one();
            assert_eq!(task.await.unwrap(), 1);
            assert_eq!(slow::peek(0).await, None, "way {way}");
        })
        .await;
    }
}

#[tokio::test]
async fn a_key_removed_while_get_or_set_loads_it_stays_removed() {
    in_cache(async |cache, _| {
        let gate = Arc::new(Notify::new());
        let task = tokio::spawn({
            let (cache, gate) = (cache.clone(), Arc::clone(&gate));
            async move {
                let load = || async {
                    gate.notified().await;
                    Ok::<_, ()>(1_u64)
                };
                cache.get_or_set("k", load).await
            }
        });
        settle().await;
        cache.invalidate("k").await.unwrap();
        gate.notify_one();
        assert_eq!(task.await.unwrap(), Ok(1));
        assert!(!cache.has("k").await.unwrap());
    })
    .await;
}

// FusionCache 628: a tag that is invalidated during a background refresh is lost.
#[tokio::test]
async fn a_tag_invalidated_during_a_background_refresh_holds() {
    in_cache(async |cache, hand| {
        let (gate, task) = load_in_flight(&cache).await;
        gate.notify_one();
        task.await.unwrap();
        hand.advance(seconds(60));
        assert_eq!(slow(0, Arc::clone(&gate)).await, 1);
        settle().await;
        assert_eq!(loads("slow"), 2);
        cache.invalidate_tag("slow").await.unwrap();
        gate.notify_one();
        settle().await;
        assert_eq!(slow::peek(0).await, None);
        gate.notify_one();
        assert_eq!(slow(0, gate).await, 3);
    })
    .await;
}

#[cached(key = "fails:<id>", ttl = 60, stale_if_error = 600, timeout = "1s", tags = ["fails"], skip(gate))]
async fn fails_later(id: u64, gate: Arc<Notify>) -> Result<u64, &'static str> {
    if load("fails_later") == 1 {
        return Ok(id + 1);
    }
    gate.notified().await;
    Err("source is down")
}

// FusionCache 648, BentoCache 71: fail-safe brings an invalidated value back.
#[tokio::test]
async fn an_invalidated_value_is_no_fallback() {
    for (way, after_it_expired) in
        [(0, false), (1, false), (2, false), (0, true), (1, true), (2, true)]
    {
        in_cache(async |cache, hand| {
            let gate = Arc::new(Notify::new());
            fails_later(0, Arc::clone(&gate)).await.unwrap();
            if after_it_expired {
                hand.advance(seconds(60));
            }
            match way {
                0 => fails_later::invalidate(0).await.unwrap(),
                1 => cache.invalidate_tag("fails").await.unwrap(),
                _ => fails_later::invalidate_all().await.unwrap(),
            }
            gate.notify_one();
            assert_eq!(fails_later(0, gate).await, Err("source is down"));
        })
        .await;
    }
}

#[tokio::test]
async fn a_value_invalidated_while_its_replacement_fails_is_no_fallback() {
    for way in 0..3 {
        in_cache(async |cache, hand| {
            let gate = Arc::new(Notify::new());
            fails_later(0, Arc::clone(&gate)).await.unwrap();
            hand.advance(seconds(60));
            let call = fails_later(0, Arc::clone(&gate));
            let task = tokio::spawn(cache_runtime::scope(cache.clone(), call));
            settle().await;
            match way {
                0 => fails_later::invalidate(0).await.unwrap(),
                1 => cache.invalidate_tag("fails").await.unwrap(),
                _ => fails_later::invalidate_all().await.unwrap(),
            }
            gate.notify_one();
            assert_eq!(task.await.unwrap(), Err("source is down"));
        })
        .await;
    }
}

// FusionCache 613: expiring reads an older copy back from another layer. Here a function's own
// index and the store by text are two ways to one entry.
#[tokio::test]
async fn no_older_copy_comes_back_by_another_way() {
    #[cached(key = "copy:<id>", ttl = 60)]
    async fn copy(id: u64) -> u64 {
        load("copy") + id
    }
    in_cache(async |cache, hand| {
        assert_eq!(copy(0).await, 1);
        cache.set("copy:0", &50_u64).ttl(seconds(10)).await.unwrap();
        assert_eq!(copy(0).await, 50);
        hand.advance(seconds(10));
        assert_eq!(copy(0).await, 2);
        cache.set("copy:0", &60_u64).await.unwrap();
        cache.invalidate("copy:0").await.unwrap();
        assert_eq!(copy(0).await, 3);
        copy::invalidate(0).await.unwrap();
        assert_eq!(cache.get::<u64>("copy:0").await.unwrap(), None);
        copy::put(0, &70).await.unwrap();
        assert_eq!(cache.get::<u64>("copy:0").await.unwrap(), Some(70));
        assert_eq!(copy(0).await, 70);
    })
    .await;
}

// HybridCache: who waits for a load while a tag is invalidated is handed the stale item, which is
// then stamped as fresh.
#[tokio::test]
async fn who_calls_after_an_invalidation_never_shares_a_load_that_began_before() {
    for way in 0..3 {
        in_cache(async |cache, _| {
            let (gate, first) = load_in_flight(&cache).await;
            match way {
                0 => slow::invalidate(0).await.unwrap(),
                1 => cache.invalidate_tag("slow").await.unwrap(),
                _ => slow::invalidate_all().await.unwrap(),
            }
            let second = spawn_slow(&cache, &gate);
            settle().await;
            assert_eq!(loads("slow"), 2, "way {way}");
            gate.notify_waiters();
            settle().await;
            assert_eq!((first.await.unwrap(), second.await.unwrap()), (1, 2));
            assert_eq!(slow::peek(0).await, Some(2));
        })
        .await;
    }
}

// Spring 36806: clearing everything deletes entries that were written after it began. Here an
// invalidation is one step, and what is collected later is only what it killed.
#[tokio::test]
async fn what_is_written_after_an_invalidation_is_not_collected_with_what_it_killed() {
    #[cached(key = "many:<id>", ttl = 60)]
    async fn many(id: u64) -> u64 {
        load("many");
        id
    }
    in_cache(async |cache, _| {
        for id in 0..500 {
            many(id).await;
        }
        many::invalidate_all().await.unwrap();
        for id in 0..500 {
            many(id).await;
        }
        // Insertions of others look for what is over.
        for number in 0..5_000 {
            cache.set(format!("other:{number}"), &number).await.unwrap();
        }
        for id in 0..500 {
            many(id).await;
        }
        assert_eq!(loads("many"), 1_000);
        cache.clear().await.unwrap();
        many(7).await;
        assert_eq!(many::peek(7).await, Some(7));
    })
    .await;
}

// Ordinary get-or-set: a write that comes while an older load runs is overwritten by it.
#[tokio::test]
async fn a_write_during_a_load_is_not_overwritten_by_it() {
    in_cache(async |cache, _| {
        let (gate, task) = load_in_flight(&cache).await;
        slow::put(0, &99).await.unwrap();
        gate.notify_one();
        task.await.unwrap();
        assert_eq!(slow::peek(0).await, Some(99));
    })
    .await;
    in_cache(async |cache, _| {
        let (gate, task) = load_in_flight(&cache).await;
        cache.set("slow:0", &98_u64).tags(["slow"]).await.unwrap();
        gate.notify_one();
        task.await.unwrap();
        assert_eq!(slow::peek(0).await, Some(98));
    })
    .await;
}

// Ordinary single flight hands a load's result to everybody who waits for it. Rule J: who joined
// after it began takes it only if nothing was invalidated until it was stored.
#[tokio::test]
async fn who_joined_a_load_that_was_invalidated_meanwhile_starts_over() {
    for way in 0..3 {
        in_cache(async |cache, _| {
            let (gate, first) = load_in_flight(&cache).await;
            let second = spawn_slow(&cache, &gate);
            settle().await;
            assert_eq!(loads("slow"), 1);
            match way {
                0 => slow::invalidate(0).await.unwrap(),
                1 => cache.invalidate_tag("slow").await.unwrap(),
                _ => slow::invalidate_all().await.unwrap(),
            }
            gate.notify_one();
            settle().await;
            gate.notify_one();
            assert_eq!((first.await.unwrap(), second.await.unwrap()), (1, 2), "way {way}");
            assert_eq!(slow::peek(0).await, Some(2));
        })
        .await;
    }
}
