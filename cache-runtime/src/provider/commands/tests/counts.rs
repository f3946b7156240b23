//! How many commands and round trips the steps take.

use std::time::Duration;

use super::server::Server;
use crate::provider::commands::Steps;
use crate::provider::{
    Acquire, CellKind, Extent, Fill, Lookup, Mark, Prefix, Provider, ProviderExt, Removal,
};

const HOUR: Duration = Duration::from_secs(3_600);

fn counts(expected: &[(&str, u64)]) -> Vec<(String, u64)> {
    expected.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

fn value() -> Vec<u8> {
    [Prefix::unique(CellKind::Value).as_bytes(), b"payload"].concat()
}

#[tokio::test]
async fn a_hit_is_one_command_with_any_number_of_marks() {
    let server = Server::start();
    let steps = server.steps(1).await;
    let all = ["a", "b", "c", "d"].map(Mark::tag);
    let all = [&all[..], &[Mark::scope("fn:f")]].concat();
    for number in 0..=5 {
        let marks = &all[..number];
        steps.ensure_marks("k", marks, HOUR).await.unwrap();
        steps.fill(Fill::new("k", &value(), HOUR).marks(marks, HOUR)).await.unwrap();
        server.take_counts().await;
        steps.link.take_sends();
        assert!(steps.read_one("k", marks).await.unwrap().cell.is_some());
        let command = if number == 0 { "get" } else { "mget" };
        assert_eq!(server.take_counts().await, counts(&[(command, 1)]), "{number} marks");
        assert_eq!(steps.link.take_sends(), 1);
    }
}

#[tokio::test]
async fn many_lookups_are_one_command() {
    let server = Server::start();
    let steps = server.steps(1).await;
    let keys: Vec<String> = (0..100).map(|number| format!("k:{number}")).collect();
    let marks = [Mark::tag("t")];
    let lookups: Vec<Lookup<'_>> = keys.iter().map(|key| Lookup::new(key).marks(&marks)).collect();
    server.take_counts().await;
    steps.read(&lookups).await.unwrap();
    assert_eq!(server.take_counts().await, counts(&[("mget", 1)]));
}

#[tokio::test]
async fn a_prefix_comes_in_one_round_trip_with_its_marks() {
    let server = Server::start();
    let steps = server.steps(1).await;
    server.take_counts().await;
    let marks = [Mark::tag("t"), Mark::scope("s")];
    let lookup = Lookup::new("k").extent(Extent::Prefix).marks(&marks);
    steps.read(&[lookup]).await.unwrap();
    assert_eq!(server.take_counts().await, counts(&[("getrange", 1), ("mget", 1)]));
    assert_eq!(steps.link.take_sends(), 1);
}

#[tokio::test]
async fn a_miss_is_two_round_trips_before_the_load_even_the_first() {
    let server = Server::start();
    let steps = server.steps(1).await;
    let marks = [Mark::tag("t"), Mark::scope("s")];
    for (key, by) in [("first", "eval"), ("second", "evalsha")] {
        server.take_counts().await;
        steps.link.take_sends();
        let seen = steps.read_one(key, &marks).await.unwrap();
        let lease = Prefix::unique(CellKind::Lease);
        let request = Acquire::new(key, lease, HOUR).expected(seen.prefix()).marks(&marks, HOUR);
        steps.acquire(request).await.unwrap();
        assert_eq!(steps.link.take_sends(), 2, "the round trips of the {key} miss");
        let counted = server.take_counts().await;
        assert!(counted.contains(&(by.to_owned(), 1)), "{counted:?}");
        let request = Fill::new(key, b"V...............and more", HOUR).expected(lease);
        assert!(steps.fill(request.marks(&marks, HOUR)).await.unwrap().is_stored());
        assert_eq!(steps.link.take_sends(), 1, "the round trips of the {key} fill");
    }
}

#[tokio::test]
async fn the_removal_of_a_tag_is_one_command_however_many_entries_carry_it() {
    let server = Server::start();
    let steps = server.steps(1).await;
    let marks = [Mark::epoch("users"), Mark::tag("users")];
    let mut stored = 0;
    for entries in [10, 2_000] {
        steps.ensure_marks("k", &marks, HOUR).await.unwrap();
        for number in stored..entries {
            let (key, value) = (format!("k:{number}"), value());
            steps.fill(Fill::new(&key, &value, HOUR).marks(&marks, HOUR)).await.unwrap();
        }
        stored = entries;
        server.take_counts().await;
        steps.link.take_sends();
        assert_eq!(steps.remove(Removal::of_marks(&marks)).await.unwrap(), 2);
        let script = if entries == 10 { ("eval", 1) } else { ("evalsha", 1) };
        let expected = counts(&[script, ("mget", 1), ("unlink", 1)]);
        assert_eq!(server.take_counts().await, expected, "{entries} entries");
        assert_eq!(steps.link.take_sends(), 1);
    }
}

#[tokio::test]
async fn the_removal_of_keys_is_one_unlink_in_one_bucket() {
    let server = Server::start();
    let steps = server.steps(1).await;
    steps.put("k", &value(), HOUR).await.unwrap();
    server.take_counts().await;
    assert_eq!(steps.remove(Removal::of_keys(&["k", "l", "m"])).await.unwrap(), 1);
    assert_eq!(server.take_counts().await, counts(&[("unlink", 1)]));
}

#[tokio::test]
async fn a_removal_in_several_buckets_is_two_commands_for_each() {
    let server = Server::start();
    let steps = Steps::new(server.link::<false>(64).await, "app");
    let marks = [Mark::tag("a"), Mark::tag("b")];
    let removal = Removal::of_keys(&["k"]).and_marks(&marks);
    for _ in 0..2 {
        steps.ensure_marks("k", &marks, HOUR).await.unwrap();
        steps.link.take_sends();
        assert_eq!(steps.remove(removal).await.unwrap(), 2);
        // The texts lie apart.
        assert_eq!(steps.link.take_sends(), 2 * 3);
    }
    // What lies in one bucket takes one.
    assert_eq!(steps.remove(Removal::of_marks(&marks[..1])).await.unwrap(), 0);
    assert_eq!(steps.link.take_sends(), 1);
}

#[tokio::test]
async fn in_buckets_a_read_is_one_command_for_each_bucket_involved() {
    let server = Server::start();
    let steps = Steps::new(server.link::<false>(64).await, "app");
    let marks = [Mark::scope("s"), Mark::tag("a"), Mark::tag("b"), Mark::epoch("a")];
    let mut buckets = vec![steps.names.bucket_of("k")];
    buckets.extend(["a", "b"].map(|text| steps.names.bucket_of(text)));
    buckets.sort_unstable();
    buckets.dedup();
    assert_eq!(buckets.len(), 3, "the texts should lie apart");
    server.take_counts().await;
    steps.read_one("k", &marks).await.unwrap();
    assert_eq!(server.take_counts().await, counts(&[("mget", 3)]));
    // The scope lies beside the cell.
    steps.read_one("k", &marks[..1]).await.unwrap();
    assert_eq!(server.take_counts().await, counts(&[("mget", 1)]));
}
