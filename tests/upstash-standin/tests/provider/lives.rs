//! Lives of the server are told apart where `INFO` is allowed.

use cache_runtime::provider::{
    Acquire, Acquired, CellKind, Fill, Filled, Incarnation, Prefix, Provider, Refusal,
    UpstashProvider,
};
use upstash_standin::{Fault, StandIn};

use crate::{HOUR, provider, stand_in, warm};

#[tokio::test]
async fn the_question_rides_along_with_the_first_commands_only() {
    let upstash = stand_in().await;
    let provider = provider(&upstash);
    assert!(!provider.describe().fenced);
    let life = provider.ping().await.expect("an answer");
    assert_ne!(life, Incarnation::UNKNOWN);
    assert!(provider.describe().fenced);
    assert_eq!(provider.ping().await.expect("an answer"), life);
    let sent: Vec<Vec<String>> = upstash.log().into_iter().map(|one| one.commands).collect();
    assert_eq!(sent, [vec!["INFO", "PING"], vec!["PING"]]);
}

#[tokio::test]
async fn where_info_is_refused_there_is_no_fence_and_nobody_asks_again() {
    let upstash = stand_in().await;
    upstash.refuse_command("INFO", true);
    let provider = provider(&upstash);
    for _ in 0..2 {
        assert_eq!(provider.ping().await.expect("an answer"), Incarnation::UNKNOWN);
    }
    assert!(!provider.describe().fenced);
    assert_eq!(upstash.counts().by_name["INFO"], 1);
}

#[tokio::test]
async fn a_load_that_began_in_another_life_is_not_stored() {
    let first = stand_in().await;
    let address = first.url().trim_start_matches("http://").parse().expect("an address");
    let token = first.token().to_owned();
    let provider = UpstashProvider::new(&first.url(), &token, "app").expect("a provider");
    let lease = Prefix::unique(CellKind::Lease);
    let acquired = provider.acquire(Acquire::new("a", lease, HOUR)).await.expect("an answer");
    let Acquired::Granted(before) = acquired else { panic!("nobody else loads") };

    // Another server takes over, with whatever it has.
    drop(first);
    let second = StandIn::builder().address(address).token(token).start().await;
    let second = second.expect("the same address");
    let value = Prefix::unique(CellKind::Value);
    let fill = Fill::new("a", value.as_bytes(), HOUR).incarnation(before.incarnation);
    // A failure makes the provider ask again.
    second.inject(Fault::status(500, "ERR internal").times(1));
    provider.ping().await.expect("an answer at the second attempt");
    let filled = provider.fill(fill).await.expect("an answer");
    assert_eq!(filled, Filled::Refused(Refusal::Incarnation));
    assert_ne!(provider.ping().await.expect("an answer"), before.incarnation);
}

#[tokio::test]
async fn a_stamp_of_another_life_never_fits() {
    let (first, second) = (stand_in().await, stand_in().await);
    let (one, other) = (warm(&first).await, warm(&second).await);
    let (one, other) = (one.ping().await.expect("a life"), other.ping().await.expect("a life"));
    assert_ne!(one, other);
}
