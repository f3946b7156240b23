//! Copies that are served without asking, while the store tells what changes.

use std::time::Duration;

use cache_runtime::Near;
use cache_runtime::provider::{Changed, Mark};
use cache_tests::fixture::{counts_of, loads, seconds};

use crate::office::{BOUND, Office, large, outer, person, plain};

#[tokio::test]
async fn a_copy_is_served_without_asking_and_counted() {
    let office = Office::told().await;
    office.warm(|| person(1)).await;
    office.warm(|| plain(1)).await;
    office.warm(|| large(1)).await;
    assert_eq!((loads("person"), loads("plain"), loads("large")), (1, 1, 1));
    let counts = counts_of(&office.here, "person").await;
    assert_eq!((counts.hits, counts.near_hits), (2, 1));
}

#[tokio::test]
async fn a_look_without_a_read_counts_nothing() {
    let office = Office::told().await;
    office.warm(|| person(1)).await;
    let before = counts_of(&office.here, "person").await;
    assert_ne!(office.call(person::peek(1)).await, None, "it is not there");
    assert_eq!(counts_of(&office.here, "person").await, before);
}

#[tokio::test]
async fn what_is_told_is_no_longer_served() {
    let office = Office::told().await;
    let key = person::key(1);
    for change in [
        Changed::Cell(key.as_str()),
        Changed::Mark(Mark::tag("people")),
        Changed::Mark(Mark::tag("team:1")),
        Changed::Mark(Mark::scope("person:<>")),
    ] {
        office.warm(|| person(1)).await;
        office.gate.tell(change);
        assert_eq!(office.reads_of(person(1)).await, 1, "{change:?}");
        office.warm(|| person(1)).await;
    }
    for change in [Changed::Cell("person:2"), Changed::Mark(Mark::tag("team:2"))] {
        office.gate.tell(change);
        assert_eq!(office.reads_of(person(1)).await, 0, "{change:?} is another's");
    }
}

#[tokio::test]
async fn without_a_sign_of_life_for_the_bound_the_store_is_asked() {
    let office = Office::told().await;
    office.warm(|| person(1)).await;
    office.hand.advance(BOUND - Duration::from_millis(20));
    assert_eq!(office.reads_of(person(1)).await, 0);
    office.hand.advance(Duration::from_millis(20));
    assert_eq!(office.reads_of(person(1)).await, 1, "nobody has been heard for too long");
    assert_eq!(office.reads_of(person(1)).await, 1);
    office.gate.sign();
    assert_eq!(office.reads_of(person(1)).await, 0, "the copy was kept and is current again");
}

#[tokio::test]
async fn a_sign_counts_from_when_it_was_asked_for() {
    let office = Office::told().await;
    office.warm(|| person(1)).await;
    let asked = office.gate.asking();
    office.hand.advance(BOUND);
    office.gate.alive(asked);
    assert_eq!(office.reads_of(person(1)).await, 1);
}

#[tokio::test]
async fn a_loss_forgets_everything_and_signs_from_before_it() {
    let office = Office::told().await;
    office.warm(|| person(1)).await;
    let asked = office.gate.asking();
    office.gate.tell(Changed::Everything);
    office.gate.alive(asked);
    assert_eq!(office.reads_of(person(1)).await, 1, "that sign came from the lost connection");
    office.gate.sign();
    assert_eq!(office.reads_of(person(1)).await, 1, "nothing was kept while nobody was heard");
    office.warm(|| person(1)).await;
}

/// The install guard: what is told while an answer is on its way is not kept.
#[tokio::test]
async fn a_change_between_the_answer_and_the_copy_keeps_it_from_being_made() {
    type Tell = fn(&crate::gate::Gate);
    let tells: [(&str, Tell); 5] = [
        ("cell", |gate| gate.tell(Changed::Cell("person:1"))),
        ("tag", |gate| gate.tell(Changed::Mark(Mark::tag("people")))),
        ("tag of the result", |gate| gate.tell(Changed::Mark(Mark::tag("team:1")))),
        ("function", |gate| gate.tell(Changed::Mark(Mark::scope("person:<>")))),
        ("everything", |gate| gate.tell(Changed::Everything)),
    ];
    for (what, tell) in tells {
        let office = Office::told().await;
        office.call(person(1)).await;
        let gate = office.gate.clone();
        office.gate.before_next_answer(move || {
            tell(&gate);
            gate.sign();
        });
        assert!(office.reads_of(person(1)).await >= 1);
        // The tag of the result is asked for after the cell, and told before that: a copy with the
        // state from after it is as good as any.
        let expected = u64::from(what != "tag of the result");
        assert_eq!(office.reads_of(person(1)).await.min(1), expected, "{what}");
    }
}

#[tokio::test]
async fn a_load_reads_past_copies() {
    let office = Office::told().await;
    office.warm(|| plain(1)).await;
    // Another process invalidates and loads anew, and this one is not told.
    let there = office.there.clone();
    there.invalidate(plain::key(1)).await.expect("memory");
    let new = cache_runtime::scope(there, plain(1)).await;
    assert_ne!(office.call(plain(1)).await, new, "stale within the bound");
    assert_eq!(office.call(outer(1)).await, new, "a stale value must not be stored in another");
}

#[tokio::test]
async fn what_this_process_invalidates_it_does_not_serve() {
    let office = Office::told().await;
    for round in 1..=4 {
        office.warm(|| person(1)).await;
        match round {
            1 => office.here.invalidate(person::key(1)).await,
            2 => office.here.invalidate_tags(["people"]).await,
            3 => office.call(person::invalidate_all()).await,
            _ => office.here.invalidate_pattern("person:*").await.map(|_| ()),
        }
        .expect("memory");
        assert_eq!(office.call(person(1)).await.times, round + 1);
    }
    office.warm(|| person(1)).await;
    office.here.clear().await.expect("memory");
    assert_eq!(office.call(person(1)).await.times, 6);
}

#[tokio::test]
async fn what_this_process_writes_it_reads() {
    let office = Office::told().await;
    office.warm(|| plain(1)).await;
    office.call(plain::put(1, &77)).await.expect("memory");
    assert_eq!(office.call(plain(1)).await, 77);
    office.warm(|| plain(1)).await;
    office.here.set(plain::key(1), &78).await.expect("memory");
    assert_eq!(office.call(plain(1)).await, 78);
    office.warm(|| plain(1)).await;
    assert_eq!(office.call(plain::refresh(1)).await, office.call(plain(1)).await);
}

#[tokio::test]
async fn a_copy_ends_with_its_ttl() {
    let office = Office::told().await;
    office.warm(|| plain(1)).await;
    office.hand.advance(seconds(61));
    office.gate.sign();
    office.call(plain(1)).await;
    assert_eq!(loads("plain"), 2);
}

#[tokio::test]
async fn a_bound_that_the_clocks_cannot_keep_is_refused() {
    let near = Near::Bound(Duration::from_millis(5));
    let provider = cache_runtime::provider::MemoryProvider::new(10);
    let built = cache_runtime::Cache::builder().provider(provider).near(near).build().await;
    let error = built.expect_err("5 ms are too short").to_string();
    assert!(error.contains("CACHE_NEAR") && error.contains("20ms"), "{error}");
}
