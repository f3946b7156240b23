//! How many requests and commands a step takes, and how commands share requests.

use std::sync::Arc;
use std::time::Duration;

use cache_runtime::ErrorKind;
use cache_runtime::provider::{
    Acquire, Acquired, CellKind, Extent, Fill, Lookup, Mark, Prefix, Provider, ProviderExt,
    Removal, UpstashProvider,
};
use upstash_standin::{Fault, FaultKind, Lag, StandIn};

use crate::{HOUR, provider, stand_in, warm};

fn value(payload: &[u8]) -> Vec<u8> {
    let mut value = Prefix::unique(CellKind::Value).as_bytes().to_vec();
    value.extend_from_slice(payload);
    value
}

#[tokio::test]
async fn a_hit_is_one_command_in_one_request_with_any_number_of_tags() {
    let upstash = stand_in().await;
    let names: Vec<String> = (0..5).map(|number| format!("tag:{number}")).collect();
    let marks: Vec<Mark<'_>> = names.iter().map(|name| Mark::tag(name)).collect();
    let provider = warm(&upstash).await;
    provider.put("user:1", &value(b"x"), HOUR).await.expect("stored");
    provider.ensure_marks("user:1", &marks, HOUR).await.expect("marks");
    for tags in 0..=5 {
        upstash.reset_counts();
        let seen = provider.read_one("user:1", &marks[..tags]).await.expect("an answer");
        assert!(seen.cell.is_some() && seen.marks.iter().all(|mark| mark.stamp().is_some()));
        let counts = upstash.counts();
        let command = if tags == 0 { "GET" } else { "MGET" };
        assert_eq!((counts.requests, counts.commands), (1, 1), "{tags} tags");
        assert_eq!(counts.by_name[command], 1, "{tags} tags");
        assert_eq!(upstash.log()[0].path, "/");
    }
}

#[tokio::test]
async fn a_miss_takes_two_requests_before_the_load_and_one_after() {
    let upstash = stand_in().await;
    let provider = warm(&upstash).await;
    let marks = [Mark::tag("users"), Mark::scope("get_user")];
    // The first load makes the server know the scripts.
    for key in ["user:1", "user:2"] {
        upstash.reset_counts();
        let seen = provider.read_one(key, &marks).await.expect("an answer");
        let lease = Prefix::unique(CellKind::Lease);
        let request = Acquire::new(key, lease, HOUR).expected(seen.prefix()).marks(&marks, HOUR);
        let Acquired::Granted(before) = provider.acquire(request).await.expect("an answer") else {
            panic!("nobody else loads")
        };
        let counts = upstash.counts();
        assert_eq!((counts.requests, counts.commands), (2, 2), "{key}: before the load");
        let value = value(b"x");
        let request = Fill::new(key, &value, HOUR).expected(lease).marks(&marks, HOUR);
        let request = request.incarnation(before.incarnation);
        assert!(provider.fill(request).await.expect("an answer").is_stored());
        assert_eq!(upstash.counts().requests, 3, "{key}: with the fill");
    }
}

#[tokio::test]
async fn a_removal_is_one_command() {
    let upstash = stand_in().await;
    let provider = warm(&upstash).await;
    provider.remove(Removal::of_keys(&["a", "b"])).await.expect("removed");
    let counts = upstash.counts();
    assert_eq!((counts.requests, counts.commands, counts.by_name["UNLINK"]), (1, 1, 1));
    // A mark that is held stays, so where marks are named it is a script.
    let marks = [Mark::epoch("e"), Mark::tag("t")];
    let removal = Removal::of_keys(&["a", "b"]).and_marks(&marks);
    for script in ["EVAL", "EVALSHA"] {
        upstash.reset_counts();
        provider.remove(removal).await.expect("removed");
        let counts = upstash.counts();
        assert_eq!((counts.requests, counts.commands, counts.by_name[script]), (1, 1, 1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_caller_gets_its_own_replies() {
    let upstash = stand_in().await;
    let provider = Arc::new(warm(&upstash).await);
    for number in 0..300_u32 {
        let key = format!("key:{number}");
        provider.put(&key, &value(&number.to_le_bytes()), HOUR).await.expect("stored");
    }
    upstash.reset_counts();
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..3_000_u32 {
        let provider = Arc::clone(&provider);
        tasks.spawn(async move {
            let number = number % 300;
            let key = format!("key:{number}");
            if number % 7 == 0 {
                let lookup = Lookup::new(&key).extent(Extent::Prefix);
                let seen = provider.read(&[lookup]).await.expect("an answer");
                assert_eq!(seen[0].cell.as_deref().map(<[u8]>::len), Some(Prefix::LENGTH));
                return;
            }
            let seen = provider.read_one(&key, &[]).await.expect("an answer");
            let cell = seen.cell.expect("a cell");
            assert_eq!(cell[Prefix::LENGTH..], number.to_le_bytes());
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.expect("its own value");
    }
    let counts = upstash.counts();
    println!("{} commands in {} requests", counts.commands, counts.requests);
    assert!(counts.requests * 3 < counts.commands, "{counts:?}");
}

#[tokio::test]
async fn commands_of_one_turn_share_a_request_reads_and_writes_apart() {
    let upstash = stand_in().await;
    let provider = warm(&upstash).await;
    let many: Vec<String> = (0..2_500).map(|number| format!("key:{number}")).collect();
    let reads = many.iter().map(|key| Box::pin(provider.read_one(key, &[])));
    let mut reads: Vec<_> = reads.collect();
    let mut write = Box::pin(provider.remove_key("a"));
    // All are begun before the scheduler comes to anything else.
    std::future::poll_fn(|context| {
        for read in &mut reads {
            assert!(read.as_mut().poll(context).is_pending());
        }
        assert!(write.as_mut().poll(context).is_pending());
        std::task::Poll::Ready(())
    })
    .await;
    for read in reads {
        assert_eq!(read.await.expect("an answer").cell, None);
    }
    write.await.expect("an answer");
    let mut sizes: Vec<(String, usize)> =
        upstash.log().into_iter().map(|one| (one.path, one.commands.len())).collect();
    sizes.sort();
    let pipeline = |size| ("/pipeline".to_owned(), size);
    assert_eq!(sizes, [("/".to_owned(), 1), pipeline(500), pipeline(1_000), pipeline(1_000)]);
}

#[tokio::test]
async fn requests_stay_below_the_size_limit() {
    let upstash = stand_in().await;
    let provider = UpstashProvider::builder(&upstash.url(), upstash.token())
        .largest_request(4_000)
        .build()
        .expect("a provider");
    let (small, large) = (value(&[7; 1_000]), value(&[7; 4_000]));
    let keys: Vec<String> = (0..6).map(|number| format!("key:{number}")).collect();
    let mut tasks: Vec<_> =
        keys.iter().map(|key| provider.fill(Fill::new(key, &small, HOUR))).collect();
    std::future::poll_fn(|context| {
        tasks.iter_mut().for_each(|task| assert!(task.as_mut().poll(context).is_pending()));
        std::task::Poll::Ready(())
    })
    .await;
    for task in tasks {
        assert!(task.await.expect("stored").is_stored());
    }
    assert_eq!(upstash.counts().by_status.get(&413), None);
    let error = provider.put("large", &large, HOUR).await.expect_err("too large");
    assert_eq!(error.kind(), ErrorKind::TooLarge);
}

#[tokio::test]
async fn a_caller_that_goes_away_disturbs_no_other() {
    let upstash = stand_in().await;
    let provider = warm(&upstash).await;
    provider.put("kept", &value(b"x"), HOUR).await.expect("stored");
    upstash.inject(Fault::reply_latency(Duration::from_millis(100)));
    let mut left = Box::pin(provider.read_one("left", &[]));
    let mut kept = Box::pin(provider.read_one("kept", &[]));
    std::future::poll_fn(|context| {
        assert!(
            left.as_mut().poll(context).is_pending() && kept.as_mut().poll(context).is_pending()
        );
        std::task::Poll::Ready(())
    })
    .await;
    drop(left);
    assert!(kept.await.expect("an answer").cell.is_some());
}

#[tokio::test]
async fn a_read_that_nobody_waits_for_is_given_up() {
    let upstash = stand_in().await;
    let provider = warm(&upstash).await;
    upstash.inject(Fault::new(FaultKind::Hang { executed: false }));
    let read = provider.read_one("a", &[]);
    tokio::time::timeout(Duration::from_millis(200), read).await.expect_err("no answer");
    // Were the request still there, the end would have to wait for its time limit.
    let end = tokio::time::timeout(Duration::from_secs(5), provider.shutdown()).await;
    end.expect("an end in time").expect("a shutdown");
}

#[tokio::test]
async fn the_latest_sync_token_goes_with_every_request() {
    let upstash = stand_in().await;
    let provider = provider(&upstash);
    provider.ping().await.expect("an answer");
    provider.put("a", &value(b"1"), HOUR).await.expect("stored");
    provider.put("a", &value(b"2"), HOUR).await.expect("stored");
    provider.read_one("a", &[]).await.expect("an answer");
    let tokens: Vec<Option<String>> =
        upstash.log().into_iter().map(|request| request.sync_token).collect();
    let number = |number: u32| Some(number.to_string());
    assert_eq!(tokens, [None, number(0), number(1), number(2)]);
    assert!(upstash.log().iter().all(|request| request.base64));
}

#[tokio::test]
async fn own_writes_are_read_although_reads_lag() {
    let upstash = StandIn::builder().replica(true).start().await.expect("a stand-in");
    let (writer, other) = (warm(&upstash).await, warm(&upstash).await);
    upstash.set_lag(Lag::Paused);
    let value = value(b"new");
    writer.put("a", &value, HOUR).await.expect("stored");
    let seen = writer.read_one("a", &[]).await.expect("an answer");
    assert_eq!(seen.cell.as_deref(), Some(&value[..]), "the writer reads its write");
    let seen = other.read_one("a", &[]).await.expect("an answer");
    assert_eq!(seen.cell, None, "who has not seen it is answered by the replica");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_outlives_the_runtime_that_it_was_used_on_first() {
    let upstash = stand_in().await;
    let provider = Arc::new(provider(&upstash));
    let first = Arc::clone(&provider);
    let other = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async { first.ping().await.map(drop) })
    });
    other.await.expect("no panic").expect("an answer");
    provider.ping().await.expect("an answer on another runtime");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_tls_requests_travel_in_http_2() {
    let upstash = StandIn::builder().tls(true).start().await.expect("a stand-in");
    let root = upstash.root_pem().expect("a root").to_owned();
    let builder = UpstashProvider::builder(&upstash.url(), upstash.token());
    let provider = Arc::new(builder.clone().roots_pem(root).build().expect("a provider"));
    provider.ping().await.expect("an answer");
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..200 {
        let provider = Arc::clone(&provider);
        tasks.spawn(async move {
            let key = format!("key:{number}");
            provider.put(&key, &value(b"x"), HOUR).await.expect("stored");
            assert!(provider.read_one(&key, &[]).await.expect("an answer").cell.is_some());
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.expect("its own value");
    }
    assert!(upstash.log().iter().all(|request| request.http2));

    // Whose certificate nobody vouches for is not talked to.
    let error = builder.build().expect("a provider").ping().await.expect_err("an unknown root");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}
