//! What the suite cannot see from outside: the fence, TTLs, foreign bytes, servers that refuse.

use std::time::Duration;

use super::plain::PlainLink;
use super::server::Server;
use crate::ErrorKind;
use crate::entry::Stamp;
use crate::provider::commands::{Bucket, Steps};
use crate::provider::{
    Acquire, Acquired, Baseline, CellKind, Fill, Filled, Mark, MarkState, Prefix, Provider,
    ProviderExt, Refusal, Removal,
};

const HOUR: Duration = Duration::from_secs(3_600);
const TAG: Mark<'static> = Mark::tag("t");

fn lease() -> Prefix {
    Prefix::unique(CellKind::Lease)
}

fn value() -> Vec<u8> {
    [Prefix::unique(CellKind::Value).as_bytes(), b"payload"].concat()
}

async fn begin(provider: &impl Provider, key: &str, marks: &[Mark<'_>]) -> (Prefix, Baseline) {
    let (lease, seen) = (lease(), provider.read_one(key, marks).await.unwrap());
    let request = Acquire::new(key, lease, HOUR).expected(seen.prefix()).marks(marks, HOUR);
    match provider.acquire(request).await.unwrap() {
        Acquired::Granted(baseline) => (lease, baseline),
        Acquired::Busy(found) => panic!("busy with {found:?} after {:?}", seen.prefix()),
    }
}

#[tokio::test]
async fn scripts_that_the_server_forgot_are_sent_again() {
    let server = Server::start();
    let steps = server.steps(1).await;
    for round in 0..3 {
        let key = format!("k:{round}");
        let (lease, baseline) = begin(&steps, &key, &[TAG]).await;
        server.command(&["SCRIPT", "FLUSH"]).await;
        steps.link.take_sends();
        assert!(steps.renew(&key, lease, HOUR).await.unwrap());
        let value = value();
        let request = Fill::new(&key, &value, HOUR).expected(lease).marks(&[TAG], HOUR);
        let filled = steps.fill(request.incarnation(baseline.incarnation)).await.unwrap();
        assert_eq!(filled, Filled::Stored(baseline.marks));
        // In the first round the scripts are sent whole, since they were never sent before.
        assert_eq!(steps.link.take_sends(), if round == 0 { 2 } else { 4 });
        assert!(steps.release(&key, Prefix::of(&value)).await.unwrap());
        steps.hold_marks(&[Mark::tag("h")], HOUR).await.unwrap();
        steps.ensure_marks(&key, &[Mark::tag("e")], HOUR).await.unwrap();
    }
}

#[tokio::test]
async fn another_life_of_the_server_changes_every_stamp() {
    let server = Server::start();
    let link = server.link::<false>(1).await;
    let (before, after) = (Steps::new(link.clone(), "app"), Steps::new(link.in_life(77), "app"));
    let (lease, baseline) = begin(&before, "k", &[TAG, Mark::epoch("e")]).await;
    let MarkState::Live(epoch) = baseline.marks[1] else { panic!("the epoch is not live") };
    let seen = after.read_one("k", &[TAG]).await.unwrap();
    assert_eq!(seen.prefix(), lease);
    assert_ne!(seen.incarnation, baseline.incarnation);
    assert_ne!(seen.marks[0], baseline.marks[0]);
    let value = value();
    let fill = Fill::new("k", &value, HOUR).expected(lease);
    let filled = after.fill(fill.incarnation(baseline.incarnation)).await.unwrap();
    assert_eq!(filled, Filled::Refused(Refusal::Incarnation));
    // A guard of the former life holds no more, whether the fill names its life or not.
    let guards = [(Mark::epoch("e"), epoch)];
    for incarnation in [None, Some(seen.incarnation)] {
        let fill = Fill { incarnation, ..fill }.guards(&guards);
        assert_eq!(after.fill(fill).await.unwrap(), Filled::Refused(Refusal::Guard));
    }
    for incarnation in [None, Some(baseline.incarnation)] {
        let fill = Fill { incarnation, ..fill }.guards(&guards);
        let fill =
            Fill { expected: after.read_one("k", &[]).await.unwrap().prefix().into(), ..fill };
        assert!(before.fill(fill).await.unwrap().is_stored());
    }
}

#[tokio::test]
async fn each_stamp_is_fenced_by_the_server_that_holds_its_mark() {
    let server = Server::start();
    let link = server.link::<false>(64).await.with_many_lives();
    let steps = Steps::new(link.clone(), "app");
    let marks = [Mark::tag("a"), Mark::tag("b"), Mark::epoch("c"), Mark::scope("s")];
    let (lease, baseline) = begin(&steps, "k", &marks).await;
    let home = steps.names.bucket_of("k");
    let fenced = |states: &[MarkState]| -> Vec<([u8; 8], Bucket)> {
        let buckets = marks.iter().map(|mark| steps.names.bucket_of_mark("k", mark));
        let stamps = states.iter().map(|state| state.stamp().expect("a live mark"));
        let nonce = |(stamp, bucket): (Stamp, Bucket)| (stamp.nonce(link.life_of(bucket)), bucket);
        stamps.zip(buckets).map(nonce).collect()
    };
    let mut connection = server.connection().await;
    for ((nonce, bucket), mark) in fenced(&baseline.marks).into_iter().zip(&marks) {
        let mut name = Vec::new();
        steps.names.write_mark("test", bucket, mark, &mut name).unwrap();
        let stored: Vec<u8> =
            redis::cmd("GET").arg(name).query_async(&mut connection).await.unwrap();
        assert_eq!(stored, nonce, "{mark:?}");
    }
    assert_eq!(baseline.incarnation, link.life_of(home));
    let seen = steps.read_one("k", &marks).await.unwrap();
    assert_eq!((&seen.marks, seen.incarnation), (&baseline.marks, baseline.incarnation));
    let ensured = steps.ensure_marks("k", &marks[..3], HOUR).await.unwrap();
    assert_eq!(ensured.marks, baseline.marks[..3]);
    assert_eq!(ensured.incarnation, baseline.incarnation);
    let guards: Vec<(Mark<'_>, Stamp)> = marks
        .iter()
        .zip(&baseline.marks)
        .map(|(mark, state)| (*mark, state.stamp().unwrap()))
        .collect();
    let value = value();
    let fill = Fill::new("k", &value, HOUR).expected(lease).marks(&marks, HOUR).guards(&guards);
    let filled = steps.fill(fill.incarnation(baseline.incarnation)).await.unwrap();
    assert_eq!(filled, Filled::Stored(baseline.marks));
}

#[tokio::test]
async fn a_mark_always_has_a_ttl_that_only_grows() {
    let server = Server::start();
    for buckets in [1, 64] {
        let steps = Steps::new(server.link::<false>(buckets).await, &format!("app{buckets}"));
        let marks = [TAG, Mark::scope("s")];
        let name = |mark: &Mark<'_>| {
            let mut name = Vec::new();
            let bucket = steps.names.bucket_of_mark("k", mark);
            steps.names.write_mark("test", bucket, mark, &mut name).unwrap();
            String::from_utf8(name).unwrap()
        };
        let names: Vec<String> = marks.iter().map(name).collect();
        let (short, long) = (Duration::from_secs(100), Duration::from_secs(1_000));
        let value = value();
        // Where it grows, it grows to half as long again as it has to.
        for (ttl, expected) in [
            (short, 99_000..=150_000),
            (long, 1_499_000..=1_500_000),
            (short, 1_490_000..=1_500_000),
        ] {
            steps.ensure_marks("k", &marks, ttl).await.unwrap();
            steps.fill(Fill::new("k", &value, short).marks(&marks, ttl)).await.unwrap();
            for name in &names {
                let left = server.number(&["PTTL", name]).await;
                assert!(expected.contains(&left), "{name} lives for {left} ms");
            }
        }
        steps.hold_marks(&marks, long).await.unwrap();
        steps.hold_marks(&marks, short).await.unwrap();
        steps.hold_marks(&marks, short).await.unwrap();
        steps.release_marks(&marks).await.unwrap();
        steps.fill(Fill::new("k", &value, short).marks(&marks, HOUR)).await.unwrap();
        for name in &names {
            let held = server.text(&["GET", name]).await;
            assert_eq!((held.len(), &held[..4]), (4 + 2 * 13, "held"), "{held}");
            let left = server.number(&["PTTL", name]).await;
            assert!((990_000..=1_000_000).contains(&left), "{name} is held for {left} ms");
        }
    }
}

async fn foreign_bytes_are_replaced<const TEXT: bool>(server: &Server) {
    let steps = Steps::new(server.link::<TEXT>(1).await, "app");
    let foreign =
        ["V", "hello", "~", "*", "=", "VVVVVVVVVVVVVVVVVVVVVVVVVV", "%%%%%%%%%%%%%%%%%%%%%%%%"];
    for text in foreign {
        server.command(&["SET", "app:k:k", text]).await;
        server.command(&["SET", "app:t:t", text]).await;
        let seen = steps.read_one("k", &[TAG]).await.unwrap();
        assert!(seen.cell.is_some());
        assert_eq!(seen.marks, [MarkState::Absent], "{text:?}");
        let (lease, baseline) = begin(&steps, "k", &[TAG]).await;
        assert!(baseline.marks[0].stamp().is_some(), "{text:?} stayed in the mark");
        assert!(steps.release("k", lease).await.unwrap());
        // What changed since it was seen is not taken.
        server.command(&["SET", "app:k:k", "somebody else's"]).await;
        let request = Acquire::new("k", lease, HOUR).expected(seen.prefix());
        assert!(matches!(steps.acquire(request).await.unwrap(), Acquired::Busy(_)), "{text:?}");
    }
    server.command(&["DEL", "app:k:k", "app:t:t"]).await;
    for name in ["app:k:k", "app:t:t"] {
        server.command(&["RPUSH", name, "a list"]).await;
    }
    assert!(steps.read_one("k", &[]).await.unwrap().cell.is_none());
    assert!(steps.read_prefix("k", &[TAG]).await.unwrap().cell.is_none());
    let (lease, baseline) = begin(&steps, "k", &[TAG]).await;
    assert!(baseline.marks[0].stamp().is_some());
    let value = value();
    assert!(steps.fill(Fill::new("k", &value, HOUR).expected(lease)).await.unwrap().is_stored());
    server.command(&["DEL", "app:t:t"]).await;
    server.command(&["RPUSH", "app:t:t", "a list"]).await;
    steps.hold_marks(&[TAG], HOUR).await.unwrap();
    assert_eq!(steps.read_marks("k", &[TAG]).await.unwrap(), [MarkState::Held]);
}

#[tokio::test]
async fn what_somebody_else_wrote_is_a_miss_and_is_replaced() {
    let server = Server::start();
    foreign_bytes_are_replaced::<false>(&server).await;
    foreign_bytes_are_replaced::<true>(&server).await;
}

#[tokio::test]
async fn without_memory_a_fill_is_refused_and_the_lease_stays() {
    let server = Server::start();
    let steps = server.steps(1).await;
    let (lease, baseline) = begin(&steps, "k", &[TAG]).await;
    server.command(&["CONFIG", "SET", "maxmemory", "1"]).await;
    let value = value();
    for expected in [lease.into(), crate::provider::Expected::Anything] {
        let error = steps.fill(Fill::new("k", &value, HOUR).expected(expected)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.to_string().contains("out of memory"), "{error}");
    }
    let error = steps.acquire(Acquire::new("l", lease, HOUR)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let seen = steps.read_one("k", &[TAG]).await.unwrap();
    assert_eq!((seen.prefix(), &seen.marks), (lease, &baseline.marks));
    // What gives memory back works: invalidating, and giving up. So does what blocks names meanwhile.
    for _ in 0..2 {
        steps.hold_marks(&[TAG, Mark::tag("u")], HOUR).await.unwrap();
    }
    assert_eq!(steps.read_marks("k", &[TAG]).await.unwrap(), [MarkState::Held]);
    for _ in 0..2 {
        steps.release_marks(&[TAG, Mark::tag("u")]).await.unwrap();
    }
    let apart = Steps::new(server.link::<false>(64).await, "apart");
    let marks = ["a", "b", "c"].map(Mark::tag);
    assert_eq!(apart.remove(Removal::of_keys(&["x", "y"]).and_marks(&marks)).await.unwrap(), 0);
    assert_eq!(steps.remove(Removal::of_keys(&["l"]).and_marks(&[TAG])).await.unwrap(), 0);
    steps.remove_matching(&crate::Pattern::from("x*")).await.unwrap();
    assert!(steps.renew("k", lease, HOUR).await.unwrap());
    assert!(steps.release("k", lease).await.unwrap());
}

#[tokio::test]
async fn a_value_that_would_cost_the_connection_is_not_sent() {
    let server = Server::start();
    let steps = server.steps(1).await;
    let value = vec![0; 512 * 1024 * 1024 + 1];
    let error = steps.fill(Fill::new("k", &value, HOUR)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert_eq!(steps.link.take_sends(), 0);
}

/// Texts whose buckets differ from each other's and from that of `k`.
fn texts_apart(steps: &Steps<PlainLink<false>>) -> [String; 2] {
    let mut taken = vec![steps.names.bucket_of("k")];
    let mut apart = (0..).map(|number| format!("text:{number}")).filter(|text| {
        let bucket = steps.names.bucket_of(text);
        let is_new = !taken.contains(&bucket);
        taken.push(bucket);
        is_new
    });
    [apart.next().unwrap(), apart.next().unwrap()]
}

#[tokio::test]
async fn a_lease_does_not_stay_where_the_marks_could_not_be_read() {
    let server = Server::start();
    let steps = server.steps(64).await;
    let [tag, _] = texts_apart(&steps);
    let down = steps.names.bucket_of(&tag);
    let limping = Steps::new(server.link::<false>(64).await.without(down), "app");
    let marks = [Mark::tag(&tag)];
    let request = Acquire::new("k", lease(), HOUR).marks(&marks, HOUR);
    let error = limping.acquire(request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unknown, "the lease was in place for a moment");
    assert!(steps.read_one("k", &[]).await.unwrap().cell.is_none(), "the lease is still there");
    // Busy is busy, whatever becomes of the marks.
    let (held, _) = begin(&steps, "k", &[]).await;
    let busy = limping.acquire(request).await.unwrap();
    assert_eq!(busy, Acquired::Busy(held));
}

#[tokio::test]
async fn a_removal_of_which_a_part_failed_is_in_doubt_and_leaves_nothing_blocked() {
    let server = Server::start();
    let steps = server.steps(64).await;
    let [family, tag] = texts_apart(&steps);
    let marks = [Mark::epoch(&family), Mark::tag(&tag)];
    let removal = Removal::of_keys(&["k"]).and_marks(&marks);
    for (text, left) in [(&family, 0), (&tag, 1)] {
        let before = steps.ensure_marks("k", &marks, HOUR).await.unwrap().marks;
        steps.put("k", &value(), HOUR).await.unwrap();
        let down = steps.names.bucket_of(text);
        let limping = Steps::new(server.link::<false>(64).await.without(down), "app");
        let error = limping.remove(removal).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unknown, "a part was done");
        let mut wanted = [MarkState::Absent; 2];
        wanted[left] = before[left];
        assert_eq!(steps.read_marks("k", &marks).await.unwrap(), wanted);
        assert!(steps.read_one("k", &[]).await.unwrap().cell.is_none());
        assert_eq!(steps.remove(removal).await.unwrap(), 1);
    }
}

#[tokio::test]
async fn a_removal_that_cannot_block_a_mark_does_not_end_the_hold_of_another() {
    let server = Server::start();
    let steps = server.steps(64).await;
    let [held, tag] = texts_apart(&steps);
    let marks = [Mark::tag(&held), Mark::tag(&tag)];
    steps.hold_marks(&marks[..1], HOUR).await.unwrap();
    let down = steps.names.bucket_of(&held);
    let limping = Steps::new(server.link::<false>(64).await.failing_once(down), "app");
    let error = limping.remove(Removal::of_marks(&marks)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unknown);
    assert_eq!(steps.read_marks("k", &marks[..1]).await.unwrap(), [MarkState::Held]);
}

#[tokio::test]
async fn a_removal_of_which_nothing_was_sent_is_not_in_doubt() {
    let server = Server::start();
    let steps = server.steps(1).await;
    steps.ensure_marks("k", &[TAG], HOUR).await.unwrap();
    let down = Steps::new(server.link::<false>(1).await.without(Bucket(0)), "app");
    let removal = Removal::of_keys(&["k"]).and_marks(&[TAG]);
    assert_eq!(down.remove(removal).await.unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(down.clear().await.unwrap_err().kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn one_removal_may_name_more_than_a_script_takes_at_once() {
    let server = Server::start();
    for (buckets, number) in [(1, 10_000), (64, 10_000)] {
        let steps = Steps::new(server.link::<false>(buckets).await, &format!("app{buckets}"));
        let texts: Vec<String> = (0..number).map(|number| format!("text:{number}")).collect();
        let keys: Vec<&str> = texts.iter().map(String::as_str).collect();
        let marks: Vec<Mark<'_>> = keys.iter().map(|text| Mark::tag(text)).collect();
        for some in marks.chunks(1_000) {
            steps.ensure_marks("k", some, HOUR).await.unwrap();
        }
        steps.put("text:7", &value(), HOUR).await.unwrap();
        let removal = Removal::of_keys(&keys).and_marks(&marks);
        assert_eq!(steps.remove(removal).await.unwrap(), number + 1);
        assert_eq!(server.number(&["DBSIZE"]).await, 0);
    }
}

#[tokio::test]
async fn a_namespace_that_goes_on_with_a_colon_is_another_one() {
    let server = Server::start();
    for buckets in [1, 64] {
        let link = server.link::<false>(buckets).await;
        let (short, long) = (Steps::new(link.clone(), "app"), Steps::new(link, "app:k"));
        let value = value();
        for steps in [&short, &long] {
            steps.put("x", &value, HOUR).await.unwrap();
            steps.ensure_marks("x", &[TAG], HOUR).await.unwrap();
        }
        server.command(&["SET", "app", "not ours"]).await;
        server.command(&["SET", "app:settings", "not ours"]).await;
        short.clear().await.unwrap();
        assert!(short.read_one("x", &[]).await.unwrap().cell.is_none());
        let seen = long.read_one("x", &[TAG]).await.unwrap();
        assert_eq!(seen.prefix(), Prefix::of(&value));
        assert!(seen.marks[0].stamp().is_some());
        assert_eq!(server.number(&["EXISTS", "app", "app:settings"]).await, 2);
        long.clear().await.unwrap();
    }
}
