//! What is said to `tracing`.

use cache_runtime::cached;
use cache_tests::events::Events;
use cache_tests::fixture::{in_cache, load, seconds};

#[cached(key = "user:<id>", ttl = 60)]
async fn get_user(id: u64) -> Result<u64, String> {
    load("get_user");
    if id == 0 { Err("zero".to_owned()) } else { Ok(id) }
}

/// The events without the parts that depend on the machine's speed.
fn said(events: &Events) -> Vec<String> {
    let short = |line: String| line.split(" took=").next().map(str::to_owned).unwrap_or_default();
    events.take().into_iter().map(short).collect()
}

#[tokio::test]
async fn miss_load_store_hit_and_invalidate_are_debug_events_with_their_key() {
    let events = Events::default();
    let _listening = events.listen();
    in_cache(async |_, hand| {
        get_user(1).await.unwrap();
        assert_eq!(
            said(&events),
            [
                "DEBUG miss key=user:1 reason=\"absent\"",
                "DEBUG load key=user:1",
                "DEBUG store key=user:1 ttl=60s",
            ]
        );
        get_user(1).await.unwrap();
        assert_eq!(said(&events), ["DEBUG hit key=user:1"]);
        get_user::invalidate(1).await.unwrap();
        assert_eq!(said(&events), ["DEBUG invalidate key=user:1 removed=true"]);
        get_user(1).await.unwrap();
        assert_eq!(said(&events)[0], "DEBUG miss key=user:1 reason=\"invalidated\"");
        hand.advance(seconds(60));
        get_user(1).await.unwrap();
        assert_eq!(said(&events)[0], "DEBUG miss key=user:1 reason=\"expired\"");
    })
    .await;
}

#[tokio::test]
async fn direct_calls_say_the_same() {
    let events = Events::default();
    let _listening = events.listen();
    in_cache(async |cache, _| {
        cache.set("k", &1_u8).tags(["t"]).await.unwrap();
        cache.get::<u8>("k").await.unwrap();
        cache.get::<u8>("absent").await.unwrap();
        cache.get_or_set("k", || async { Ok::<_, ()>(2_u8) }).await.unwrap();
        cache.invalidate_tag("t").await.unwrap();
        cache.invalidate_pattern("k*").await.unwrap();
        let said = said(&events);
        for line in [
            "DEBUG store key=k",
            "DEBUG miss key=absent reason=\"absent\"",
            "DEBUG invalidate tag=t",
            "DEBUG invalidate pattern=k*",
        ] {
            assert!(said.iter().any(|each| each.starts_with(line)), "`{line}` in {said:#?}");
        }
        assert_eq!(said.iter().filter(|each| *each == "DEBUG hit key=k").count(), 2, "{said:#?}");
    })
    .await;
}

#[tokio::test]
async fn a_failed_load_is_told_as_one() {
    let events = Events::default();
    let _listening = events.listen();
    in_cache(async |_, _| {
        get_user(0).await.unwrap_err();
        let said = events.take();
        let failed =
            said.iter().any(|line| line.starts_with("DEBUG load") && line.contains("failed=true"));
        assert!(failed, "{said:#?}");
        assert!(!said.iter().any(|line| line.contains("store")), "{said:#?}");
    })
    .await;
}

#[cached(key = "ouroboros:<id>", ttl = 60)]
async fn ouroboros(id: u64) -> u64 {
    if load("ouroboros") > 1 {
        return id;
    }
    ouroboros(id).await + 1
}

#[tokio::test]
async fn a_load_that_needs_its_own_key_is_an_error_event_and_not_a_hang() {
    let events = Events::default();
    let _listening = events.listen();
    in_cache(async |_, _| {
        assert_eq!(ouroboros(5).await, 6);
        let said = events.take();
        let told =
            said.iter().any(|line| line.starts_with("ERROR") && line.contains("key=ouroboros:5"));
        assert!(told, "{said:#?}");
    })
    .await;
}
