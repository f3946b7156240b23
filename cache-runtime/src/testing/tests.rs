use std::time::Duration;

use super::{Fault, FaultyProvider, Operation};
use crate::provider::{
    Changed, Mark, MemoryProvider, Prefix, Provider, ProviderExt, Sign, Watch, Watcher,
};
use crate::{Cache, Clock, ErrorKind, Near};

async fn reads_with(seed: u64) -> Vec<Option<ErrorKind>> {
    let provider = FaultyProvider::new(MemoryProvider::new(100), seed)
        .rate(Fault::Refuse, 0.3)
        .rate_of(Operation::Read, Fault::LoseAnswer, 0.3);
    let mut kinds = Vec::new();
    for _ in 0..50 {
        kinds.push(provider.read_one("a", &[]).await.err().map(|error| error.kind()));
    }
    kinds
}

#[tokio::test]
async fn a_seed_gives_the_same_faults_each_time() {
    assert_eq!(reads_with(1).await, reads_with(1).await);
    assert_ne!(reads_with(1).await, reads_with(2).await);
    let failed = reads_with(1).await.iter().flatten().count();
    assert!((10..45).contains(&failed), "{failed} of 50");
}

#[tokio::test]
async fn what_is_said_beforehand_happens_in_order() {
    let provider = FaultyProvider::new(MemoryProvider::new(100), 1);
    provider.next(Operation::Remove, [Fault::Refuse, Fault::LoseAnswer, Fault::LoseCommand]);
    let mut kinds = Vec::new();
    for _ in 0..4 {
        kinds.push(provider.remove_key("a").await.err().map(|error| error.kind()));
    }
    let unknown = Some(ErrorKind::Unknown);
    assert_eq!(kinds, [Some(ErrorKind::Unavailable), unknown, unknown, None]);
    assert_eq!(provider.faults(), 3);
}

#[tokio::test]
async fn damaged_entries_are_never_served() {
    let provider = FaultyProvider::new(MemoryProvider::new(100), 3)
        .rate_of(Operation::Read, Fault::FlipBit, 0.5)
        .rate_of(Operation::Read, Fault::Truncate, 0.5);
    let cache = Cache::builder().provider(provider.clone()).build().await.expect("sound");
    for round in 0..200_u64 {
        cache.set("number", &round).await.expect("memory");
        let found = cache.get::<u64>("number").await.expect("memory");
        assert!(found.is_none_or(|found| found == round), "{found:?} in round {round}");
    }
    assert!(provider.faults() > 100);
}

#[tokio::test]
async fn a_server_that_takes_over_with_old_entries_serves_none_of_them() {
    let provider = FaultyProvider::new(MemoryProvider::new(100), 3);
    let cache = Cache::builder().provider(provider.clone()).build().await.expect("sound");
    cache.set("number", &1_u64).await.expect("memory");
    cache.invalidate("number").await.expect("memory");
    let before = provider.ping().await.expect("memory");
    provider.take_over(8).await.expect("memory");
    assert_ne!(provider.ping().await.expect("memory"), before);
    let cell = provider.read_one("number", &[]).await.expect("memory").cell;
    assert!(cell.is_some_and(|cell| cell.len() > Prefix::LENGTH), "the entry is back");
    assert_eq!(cache.get::<u64>("number").await.expect("memory"), None);
    // And in its new life it works as ever.
    cache.set("number", &2_u64).tags(["numbers"]).await.expect("memory");
    assert_eq!(cache.get::<u64>("number").await.expect("memory"), Some(2));
    cache.invalidate_tag("numbers").await.expect("memory");
    assert_eq!(cache.get::<u64>("number").await.expect("memory"), None);
}

#[tokio::test]
async fn without_the_fence_such_an_entry_is_served() {
    let provider = FaultyProvider::new(MemoryProvider::new(100), 3);
    let cache = Cache::builder().provider(provider.clone()).without_rule(super::Rule::Fence);
    let cache = cache.build().await.expect("sound");
    cache.set("number", &1_u64).await.expect("memory");
    cache.invalidate("number").await.expect("memory");
    provider.take_over(8).await.expect("memory");
    assert_eq!(cache.get::<u64>("number").await.expect("memory"), Some(1));
}

#[derive(Debug, Default)]
struct Heard(std::sync::Mutex<Vec<String>>);

impl Watcher for Heard {
    fn changed(&self, what: Changed<'_>) {
        crate::near::lock(&self.0).push(format!("{what:?}"));
    }

    fn asking(&self) -> Sign {
        Sign::new(0, 0, 0)
    }

    fn alive(&self, _asked: Sign) {}
}

#[tokio::test]
async fn who_is_deaf_hears_that_something_was_missed() {
    let provider = FaultyProvider::new(MemoryProvider::new(100), 3);
    let heard = std::sync::Arc::new(Heard::default());
    let watcher: std::sync::Arc<dyn Watcher> = heard.clone();
    let every = Duration::from_secs(1);
    let watch = Watch { watcher: std::sync::Arc::downgrade(&watcher), every };
    assert!(provider.watch(watch));
    provider.ensure_marks("a", &[Mark::tag("one")], every).await.expect("memory");
    provider.remove_marks(&[Mark::tag("one")]).await.expect("memory");
    let before = crate::near::lock(&heard.0).len();
    assert!(before > 0);
    provider.go_deaf();
    provider.ensure_marks("a", &[Mark::tag("two")], every).await.expect("memory");
    provider.remove_marks(&[Mark::tag("two")]).await.expect("memory");
    assert_eq!(crate::near::lock(&heard.0).len(), before);
    provider.hear();
    assert_eq!(crate::near::lock(&heard.0).last().map(String::as_str), Some("Everything"));
}

#[tokio::test]
async fn what_is_told_late_is_told_in_order() {
    let (clock, hand) = Clock::manual();
    let most = Duration::from_millis(100);
    let provider =
        FaultyProvider::new(MemoryProvider::new(100), 3).clock(clock.clone()).watch_lag(most);
    let heard = std::sync::Arc::new(Heard::default());
    let watcher: std::sync::Arc<dyn Watcher> = heard.clone();
    let watch = Watch { watcher: std::sync::Arc::downgrade(&watcher), every: most };
    assert!(provider.watch(watch));
    for tag in ["one", "two"] {
        provider.ensure_marks("a", &[Mark::tag(tag)], most * 100).await.expect("memory");
        provider.remove_marks(&[Mark::tag(tag)]).await.expect("memory");
    }
    assert!(crate::near::lock(&heard.0).is_empty());
    for _ in 0..8 {
        tokio::task::yield_now().await;
        hand.advance(most);
    }
    tokio::task::yield_now().await;
    let heard = crate::near::lock(&heard.0).clone();
    let at = |tag: &str| heard.iter().position(|told| told.contains(tag));
    assert!(at("one") < at("two") && at("one").is_some(), "{heard:?}");
}

#[tokio::test]
async fn near_caches_work_behind_it() {
    let provider = FaultyProvider::new(MemoryProvider::new(100), 3).watch_losses(0.3);
    let near = Near::Bound(Duration::from_millis(500));
    let cache = Cache::builder().provider(provider).near(near).build().await.expect("sound");
    for round in 0..50_u64 {
        cache.set("number", &round).await.expect("memory");
        assert_eq!(cache.get::<u64>("number").await.expect("memory"), Some(round));
    }
}
