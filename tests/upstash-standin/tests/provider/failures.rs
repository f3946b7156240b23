//! What goes wrong on the way becomes the right kind of error, and is repeated only where it is safe.

use std::time::Duration;

use cache_runtime::provider::{Provider, ProviderExt, UpstashProvider};
use cache_runtime::{Error, ErrorKind};
use upstash_standin::{Fault, FaultKind, StandIn};

use crate::{provider, stand_in, warm};

/// The errors of a read and of a write while every request meets this fault.
async fn errors(upstash: &StandIn, fault: Fault) -> (Error, Error) {
    let provider = warm(upstash).await;
    upstash.inject(fault);
    let read = provider.read_one("a", &[]).await.expect_err("a read");
    let write = provider.remove_key("a").await.expect_err("a write");
    upstash.clear_faults();
    provider.read_one("a", &[]).await.expect("an answer when it is over");
    (read, write)
}

#[tokio::test]
async fn failures_have_their_kinds() {
    use ErrorKind::{TooLarge, Unavailable, Unknown};
    let upstash = stand_in().await;
    for (fault, read_kind, write_kind, says) in [
        (Fault::throttled(), Unavailable, Unavailable, "ERR max requests limit exceeded"),
        (Fault::daily_limit(), Unavailable, Unavailable, "ERR max daily request limit exceeded"),
        (Fault::status(404, "ERR no such database"), Unavailable, Unavailable, "`REDIS_REST_URL`"),
        (Fault::status(403, "NOPERM"), Unavailable, Unavailable, "`REDIS_REST_TOKEN`"),
        (Fault::status(401, "WRONGPASS"), Unavailable, Unavailable, "`REDIS_REST_TOKEN`"),
        (Fault::status(413, "ERR max request size exceeded"), TooLarge, TooLarge, "larger"),
        (Fault::status(302, "moved"), Unavailable, Unavailable, "redirects"),
        (Fault::status(500, "ERR internal"), Unavailable, Unknown, "ERR internal"),
        (Fault::status_after(503, "ERR later"), Unavailable, Unknown, "ERR later"),
        (
            Fault::new(FaultKind::Reset { executed: false }),
            Unavailable,
            Unknown,
            "connection ended",
        ),
        (Fault::new(FaultKind::Reset { executed: true }), Unavailable, Unknown, "connection ended"),
        (Fault::new(FaultKind::Malformed), Unknown, Unknown, "not what the REST API"),
        (Fault::new(FaultKind::CutBody), Unknown, Unknown, "before it was complete"),
    ] {
        let shown = format!("{fault:?}");
        let (read, write) = errors(&upstash, fault).await;
        assert_eq!(
            (read.kind(), write.kind()),
            (read_kind, write_kind),
            "{shown}: {read}; {write}"
        );
        assert!(read.to_string().contains(says), "{shown}: {read}");
        assert!(!format!("{read:?} {write:?}").contains(upstash.token()), "{shown}: the token");
    }
}

#[tokio::test]
async fn a_full_database_refuses_writes_alone() {
    let upstash = stand_in().await;
    let provider = warm(&upstash).await;
    upstash.inject(Fault::full());
    let error = provider.remove_key("a").await.expect_err("a write");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    provider.read_one("a", &[]).await.expect("a read");
}

#[tokio::test]
async fn a_read_is_repeated_once_and_a_write_never() {
    let upstash = stand_in().await;
    for fault in [
        Fault::status(500, "ERR internal"),
        Fault::new(FaultKind::Reset { executed: true }),
        Fault::new(FaultKind::CutBody),
        Fault::new(FaultKind::Malformed),
    ] {
        let provider = warm(&upstash).await;
        upstash.inject(fault.clone().times(1));
        provider.read_one("a", &[]).await.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        assert_eq!(upstash.counts().requests, 2, "{fault:?}");
        upstash.reset_counts();
        upstash.inject(fault.clone().times(1));
        provider.remove_key("a").await.expect_err("a write");
        assert_eq!(upstash.counts().requests, 1, "{fault:?}");
        upstash.clear_faults();
    }
}

#[tokio::test]
async fn repetitions_have_a_budget() {
    let upstash = stand_in().await;
    let provider = warm(&upstash).await;
    upstash.inject(Fault::status(500, "ERR internal"));
    for _ in 0..50 {
        provider.read_one("a", &[]).await.expect_err("a read");
    }
    assert_eq!(upstash.counts().requests, 60);
}

#[tokio::test]
async fn what_could_not_be_sent_is_unavailable_and_works_again() {
    let upstash = stand_in().await;
    let provider = warm(&upstash).await;
    upstash.refuse_connections().await;
    for _ in 0..3 {
        let read = provider.read_one("a", &[]).await.expect_err("a read");
        let write = provider.remove_key("a").await.expect_err("a write");
        assert_eq!((read.kind(), write.kind()), (ErrorKind::Unavailable, ErrorKind::Unavailable));
    }
    upstash.accept_connections().await.expect("the address");
    provider.read_one("a", &[]).await.expect("an answer");
}

#[tokio::test]
async fn a_request_ends_after_its_time() {
    let upstash = stand_in().await;
    let builder = UpstashProvider::builder(&upstash.url(), upstash.token());
    let provider = builder.request_timeout(Duration::from_millis(200)).build().expect("a provider");
    upstash.inject(Fault::new(FaultKind::Hang { executed: true }));
    let error = provider.remove_key("a").await.expect_err("no answer");
    assert_eq!(error.kind(), ErrorKind::Unknown);
    assert!(error.to_string().contains("no answer in time"), "{error}");
}

#[tokio::test]
async fn a_wrong_token_is_named_and_not_shown() {
    let upstash = stand_in().await;
    let wrong = UpstashProvider::new(&upstash.url(), "hunter2", "").expect("a provider");
    let error = wrong.ping().await.expect_err("a refusal");
    let text = format!("{error} {error:?} {wrong:?}");
    assert!(text.contains("`REDIS_REST_TOKEN`") && text.contains("401"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");

    let url = upstash.url();
    let reader = UpstashProvider::new(&url, upstash.read_only_token(), "").expect("a provider");
    reader.read_one("a", &[]).await.expect("a read");
    let error = reader.remove_key("a").await.expect_err("a write");
    assert!(error.to_string().contains("read-only"), "{error}");
}

#[tokio::test]
async fn after_shutdown_nothing_is_sent() {
    let upstash = stand_in().await;
    let provider = provider(&upstash);
    provider.ping().await.expect("an answer");
    provider.shutdown().await.expect("a shutdown");
    upstash.reset_counts();
    let error = provider.read_one("a", &[]).await.expect_err("shut down");
    assert_eq!((error.kind(), upstash.counts().requests), (ErrorKind::Shutdown, 0));
}
