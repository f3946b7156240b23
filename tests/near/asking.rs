//! Copies that are served after the store was asked, or for a time.

use std::time::Duration;

use cache_runtime::Near;
use cache_tests::fixture::{loads, seconds};

use crate::office::{BOUND, Office, large, person, plain};

#[tokio::test]
async fn a_validated_copy_costs_one_read_and_no_payload() {
    let office = Office::open(Near::Validated, true).await;
    office.call(large(1)).await;
    office.call(large(1)).await;
    for _ in 0..3 {
        let prefixes = office.gate.prefix_reads();
        assert_eq!(office.reads_of(large(1)).await, 1);
        assert_eq!(office.gate.prefix_reads(), prefixes + 1, "the payload stays where it is");
    }
    assert_eq!(loads("large"), 1);
}

#[tokio::test]
async fn tags_of_the_result_are_asked_for_together_with_the_entry() {
    let office = Office::open(Near::Validated, true).await;
    office.call(person(1)).await;
    office.call(person(1)).await;
    assert_eq!(office.reads_of(person(1)).await, 1);
    office.there.invalidate_tag("team:1").await.expect("memory");
    assert_eq!(office.call(person(1)).await.times, 2);
}

#[tokio::test]
async fn a_validated_copy_is_never_stale() {
    let office = Office::open(Near::Validated, true).await;
    for round in 1..=12 {
        for _ in 0..3 {
            assert_eq!(office.call(person(1)).await.times, round);
        }
        match round % 4 {
            0 => office.there.invalidate(person::key(1)).await,
            1 => office.there.invalidate_tag("people").await,
            2 => cache_runtime::scope(office.there.clone(), person::invalidate_all()).await,
            _ => office.there.clear().await,
        }
        .expect("memory");
    }
}

#[tokio::test]
async fn a_value_that_another_process_stored_in_its_place_is_read() {
    let office = Office::open(Near::Validated, true).await;
    for id in [1, 2] {
        office.call(plain(id)).await;
        office.call(plain(id)).await;
        office.there.set(plain::key(id), &(100 + id)).await.expect("memory");
        assert_eq!(office.call(plain(id)).await, 100 + id);
        assert_eq!(office.call(plain(id)).await, 100 + id);
    }
}

#[tokio::test]
async fn where_nothing_is_told_a_copy_lives_for_the_bound() {
    let office = Office::open(Near::Bound(BOUND), false).await;
    office.warm(|| plain(1)).await;
    office.there.invalidate(plain::key(1)).await.expect("memory");
    office.hand.advance(BOUND - Duration::from_millis(20));
    assert_eq!(office.call(plain(1)).await, 1, "stale within the bound");
    office.hand.advance(Duration::from_millis(20));
    assert_eq!(office.call(plain(1)).await, 2);
}

#[tokio::test]
async fn the_bound_counts_from_the_question() {
    let office = Office::open(Near::Bound(BOUND), false).await;
    office.call(plain(1)).await;
    let hand = office.hand.clone();
    office.gate.before_next_answer(move || hand.advance(BOUND));
    office.call(plain(1)).await;
    assert_eq!(office.reads_of(plain(1)).await, 1, "the answer was too old to be kept");
}

#[tokio::test]
async fn an_expired_copy_is_not_validated() {
    let office = Office::open(Near::Validated, true).await;
    office.call(plain(1)).await;
    office.call(plain(1)).await;
    office.hand.advance(seconds(61));
    assert_eq!(office.call(plain(1)).await, 2);
}
