//! What others get wrong about tags.

use std::sync::Arc;
use std::time::Duration;

use cache_runtime::{cache, cached};
use cache_tests::fixture::{goes_through_bytes, in_cache, load, loads, seconds, settle};
use tokio::sync::Notify;

const DAY: Duration = Duration::from_secs(86_400);

// Symfony: tag versions are read after the value was computed, so an invalidation in between is
// taken for one that came before.
#[tokio::test]
async fn a_tag_invalidated_by_the_body_itself_counts() {
    #[cached(key = "self:<id>", ttl = 60, tags = ["self"])]
    async fn invalidates_itself(id: u64) -> u64 {
        let count = load("invalidates_itself");
        if count == 1 {
            cache().invalidate_tag("self").await.unwrap();
        }
        id + count
    }
    in_cache(async |_, _| {
        assert_eq!(invalidates_itself(0).await, 1);
        assert_eq!(invalidates_itself(0).await, 2);
        assert_eq!(invalidates_itself(0).await, 2);
    })
    .await;
}

/// Uses so many other tags that what is not needed of the old ones is forgotten.
async fn use_other_tags() {
    for number in 0..20_000 {
        let tag = format!("other:{number}");
        cache().set("other", &number).tags([tag.as_str()]).await.unwrap();
    }
}

// FusionCache, BentoCache: the marker of an invalidated tag expires before long-lived entries do,
// which then come back.
#[tokio::test]
async fn an_invalidated_entry_never_comes_back_however_long_it_lives() {
    in_cache(async |cache, hand| {
        cache.set("long", &1_u8).ttl(DAY * 3_000).tags(["t"]).await.unwrap();
        cache.invalidate_tag("t").await.unwrap();
        for _ in 0..10 {
            hand.advance(DAY * 100);
            use_other_tags().await;
            assert_eq!(cache.get::<u8>("long").await.unwrap(), None);
        }
    })
    .await;
}

// Counters as generations (Memcached's namespacing): an evicted counter restarts, and a load that
// still runs, or an entry, matches it again.
#[tokio::test]
async fn a_generation_is_never_used_twice() {
    #[cached(key = "generation:<id>", ttl = 60, tags = ["g"], skip(gate))]
    async fn generation(id: u64, gate: Arc<Notify>) -> u64 {
        let count = load("generation");
        if count == 1 {
            gate.notified().await;
        }
        id + count
    }
    in_cache(async |cache, _| {
        let gate = Arc::new(Notify::new());
        let task =
            tokio::spawn(cache_runtime::scope(cache.clone(), generation(0, Arc::clone(&gate))));
        settle().await;
        cache.invalidate_tag("g").await.unwrap();
        use_other_tags().await;
        gate.notify_one();
        task.await.unwrap();
        use_other_tags().await;
        assert_eq!(generation::peek(0).await, None);
        assert_eq!(generation(0, gate).await, 2);
    })
    .await;
}

// cashews: a short-lived write shortens the life of the tag's index, and entries that live longer
// escape the invalidation.
#[tokio::test]
async fn a_short_lived_entry_does_not_let_a_long_lived_one_escape() {
    in_cache(async |cache, hand| {
        cache.set("long", &1_u8).ttl(DAY).tags(["t"]).await.unwrap();
        cache.set("short", &1_u8).ttl(seconds(1)).tags(["t"]).await.unwrap();
        hand.advance(seconds(10));
        use_other_tags().await;
        assert!(cache.has("long").await.unwrap());
        cache.invalidate_tag("t").await.unwrap();
        assert!(!cache.has("long").await.unwrap());
    })
    .await;
}

// Laravel 61328: the tag is written before the value; where writing the value fails, the key is an
// orphan that no invalidation reaches.
#[tokio::test]
async fn a_write_that_failed_leaves_no_entry_beyond_the_tags_reach() {
    #[cached(key = "orphan:<id>", ttl = 60, tags = ["orphans"])]
    async fn orphan(id: u64) -> Result<u64, ()> {
        let count = load("orphan");
        if count == 1 { Err(()) } else { Ok(id + count) }
    }
    in_cache(async |cache, _| {
        orphan(0).await.unwrap_err();
        assert_eq!(orphan(0).await, Ok(2));
        cache.invalidate_tag("orphans").await.unwrap();
        assert_eq!(orphan(0).await, Ok(3));
    })
    .await;
}

mod before {
    use super::{cached, load};

    #[cached(key = "shared:<id>", ttl = 60, tags = ["old"])]
    pub(super) async fn shared(id: u64) -> u64 {
        load("before") + id
    }
}

mod after {
    use super::{cached, load};

    #[cached(key = "shared:<id>", ttl = 60, tags = ["old", "new"])]
    pub(super) async fn shared(id: u64) -> u64 {
        load("after") + id + 100
    }
}

// BentoCache 83: the tags of a function changed between two deployments. What was stored under the
// old list does not carry the new tag, so invalidating that would miss it.
#[tokio::test]
async fn an_entry_that_was_stored_under_another_list_of_tags_is_a_miss() {
    in_cache(async |cache, _| {
        assert_eq!(before::shared(0).await, 1);
        assert_eq!(after::shared(0).await, 101);
        cache.invalidate_tag("new").await.unwrap();
        assert_eq!(after::shared(0).await, 102);
        // An entry with all of one's tags and more will do.
        assert_eq!(before::shared(0).await, 102);
        assert_eq!((loads("before"), loads("after")), (1, 2));
    })
    .await;
}

#[tokio::test]
async fn an_entry_without_the_functions_tags_is_a_miss_however_it_came() {
    in_cache(async |cache, _| {
        cache.set("shared:0", &50_u64).await.unwrap();
        cache.invalidate_tag("old").await.unwrap();
        assert_eq!(before::shared(0).await, 1);
        cache.set("shared:0", &50_u64).tags(["old"]).await.unwrap();
        assert_eq!(before::shared(0).await, 50);
        assert_eq!(before::shared(0).await, 50);
        cache.invalidate_tag("old").await.unwrap();
        assert_eq!(before::shared(0).await, 2);
        // A reader by text asks for no tags.
        assert_eq!(cache.get::<u64>("shared:0").await.unwrap(), Some(2));
    })
    .await;
}

#[tokio::test]
async fn what_invalidates_a_function_reaches_what_came_to_it_by_text() {
    in_cache(async |cache, _| {
        before::shared(1).await;
        cache.set("shared:0", &50_u64).tags(["old"]).await.unwrap();
        before::shared::invalidate_all().await.unwrap();
        assert_eq!(before::shared(0).await, 2);
    })
    .await;
    in_cache(async |cache, _| {
        cache.set("shared:0", &50_u64).tags(["old"]).await.unwrap();
        assert_eq!(before::shared(0).await, 50);
        before::shared::invalidate_all().await.unwrap();
        assert_eq!(before::shared(0).await, 1);
    })
    .await;
}

// cachelito: invalidating one tag drops all that the function ever cached.
#[tokio::test]
async fn invalidating_a_tag_leaves_the_functions_other_entries() {
    #[cached(key = "tagged:<id>", ttl = 60, tags = ["id:<id>"])]
    async fn tagged(id: u64) -> u64 {
        load("tagged");
        id
    }
    in_cache(async |cache, _| {
        for id in 0..100 {
            tagged(id).await;
        }
        cache.invalidate_tag("id:5").await.unwrap();
        for id in 0..100 {
            tagged(id).await;
        }
        assert_eq!(loads("tagged"), 101);
    })
    .await;
}

// The same for a load of somebody else that began before the function was invalidated, and ended
// after it.
#[tokio::test]
async fn what_invalidates_a_function_reaches_a_foreign_load_under_way() {
    in_cache(async |cache, _| {
        let gate = Arc::new(Notify::new());
        let task = tokio::spawn({
            let (cache, gate) = (cache.clone(), Arc::clone(&gate));
            async move {
                let load = || async {
                    gate.notified().await;
                    Ok::<_, ()>(50_u64)
                };
                cache.get_or_set("shared:0", load).tags(["old"]).await
            }
        });
        settle().await;
        before::shared::invalidate_all().await.unwrap();
        gate.notify_one();
        assert_eq!(task.await.unwrap(), Ok(50));
        assert_eq!(before::shared::peek(0).await, None);
        assert_eq!(before::shared(0).await, 1);
    })
    .await;
}

#[tokio::test]
async fn what_one_function_took_over_is_no_younger_for_the_other() {
    mod third {
        use super::{cached, load};

        #[cached(key = "shared:<id>", ttl = 60, tags = ["old"])]
        pub(super) async fn shared(id: u64) -> u64 {
            load("third") + id + 200
        }
    }
    in_cache(async |cache, _| {
        cache.set("shared:0", &50_u64).tags(["old"]).await.unwrap();
        third::shared::invalidate_all().await.unwrap();
        if goes_through_bytes() {
            // Functions with one template are invalidated together there.
            assert_eq!(before::shared(0).await, 1);
            return;
        }
        // This one was not invalidated and serves the entry, which stays as old as it was.
        assert_eq!(before::shared(0).await, 50);
        assert_eq!(third::shared(0).await, 201);
    })
    .await;
}
