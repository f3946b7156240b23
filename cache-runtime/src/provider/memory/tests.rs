//! What is particular to the memory provider; the contract itself is the suite's.

use std::sync::Arc;
use std::time::Duration;

use super::MemoryProvider;
use crate::ErrorKind;
use crate::clock::Clock;
use crate::entry::{CellKind, Prefix};
use crate::provider::{Acquire, Acquired, Fill, Mark, MarkState, Provider, ProviderExt};

const LONG: Duration = Duration::from_secs(3_600);

fn value(payload: usize) -> Vec<u8> {
    let mut value = Prefix::unique(CellKind::Value).as_bytes().to_vec();
    value.resize(Prefix::LENGTH + payload, b'x');
    value
}

#[tokio::test]
async fn cells_are_bounded_by_number_and_leases_are_not_evicted() {
    let provider = MemoryProvider::new(100);
    let lease = Prefix::unique(CellKind::Lease);
    assert!(provider.try_lease("leased", lease, LONG).await.expect("in memory"));
    for number in 0..5_000 {
        provider.put(&format!("k:{number}"), &value(10), LONG).await.expect("in memory");
    }
    let cells = provider.usage().await.expect("in memory").cells.expect("it can count");
    assert!((90..=101).contains(&cells), "{cells} cells");
    assert_eq!(provider.read_one("leased", &[]).await.expect("in memory").prefix(), lease);
}

#[tokio::test]
async fn cells_are_bounded_by_bytes_and_what_is_larger_is_an_error() {
    let provider = MemoryProvider::builder().max_bytes(100_000).build();
    for number in 0..1_000 {
        provider.put(&format!("k:{number}"), &value(1_000), LONG).await.expect("it fits");
    }
    let bytes = provider.usage().await.expect("in memory").bytes.expect("it can count");
    assert!((50_000..=100_000).contains(&bytes), "{bytes} bytes");

    let error = provider.put("k:1", &value(200_000), LONG).await.expect_err("it does not fit");
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(provider.read_one("k:1", &[]).await.expect("in memory").cell.is_none());
}

#[tokio::test]
async fn an_evicted_mark_is_absent_and_holds_are_not_evicted() {
    let provider = MemoryProvider::new(64);
    let (first, held) = ([Mark::tag("first")], [Mark::tag("held")]);
    let before = provider.ensure_marks("k", &first, LONG).await.expect("in memory").marks;
    provider.hold_marks(&held, LONG).await.expect("in memory");
    for number in 0..2_000 {
        let name = format!("t:{number}");
        provider.ensure_marks("k", &[Mark::tag(&name)], LONG).await.expect("in memory");
    }
    let now = provider.read_marks("k", &[first[0], held[0]]).await.expect("in memory");
    assert_eq!(now, [MarkState::Absent, MarkState::Held]);
    let again = provider.ensure_marks("k", &first, LONG).await.expect("in memory").marks;
    assert_ne!(again, before);
}

#[tokio::test]
async fn expired_leases_and_holds_do_not_pile_up() {
    let (clock, hand) = Clock::manual();
    let provider = MemoryProvider::builder().clock(clock).build();
    for number in 0..20_000 {
        let (key, lease) = (format!("k:{number}"), Prefix::unique(CellKind::Lease));
        provider.try_lease(&key, lease, Duration::from_secs(1)).await.expect("in memory");
        hand.advance(Duration::from_millis(10));
    }
    let mut slots = 0;
    provider.shared.cells.visit(|_| slots += 1);
    assert!(slots < 2_000, "{slots} slots for 100 live leases");
}

#[tokio::test]
async fn a_key_that_is_too_long_is_an_error_and_leaves_nothing() {
    let provider = MemoryProvider::new(100);
    let long = "k".repeat(70_000);
    let marks = [Mark::tag(&long)];
    let error = provider.read_one(&long, &[]).await.expect_err("too long");
    assert_eq!(error.kind(), ErrorKind::InvalidKey);
    let lease = Prefix::unique(CellKind::Lease);
    let request = Acquire::new("k", lease, LONG).marks(&marks, LONG);
    assert!(provider.acquire(request).await.is_err());
    assert!(provider.fill(Fill::new("k", &value(1), LONG).marks(&marks, LONG)).await.is_err());
    assert!(provider.read_one("k", &[]).await.expect("in memory").cell.is_none());
}

#[tokio::test]
async fn namespaces_and_keys_never_run_together() {
    let root = MemoryProvider::new(100);
    let (short, long) = (root.in_namespace("a"), root.in_namespace("a:b"));
    let stored = value(3);
    short.put("b:k", &stored, LONG).await.expect("in memory");
    assert!(long.read_one("k", &[]).await.expect("in memory").cell.is_none());
    long.clear().await.expect("in memory");
    let seen = short.read_one("b:k", &[]).await.expect("in memory");
    assert_eq!(seen.cell.as_deref(), Some(&stored[..]));
}

#[tokio::test]
async fn a_shared_or_boxed_provider_is_a_provider() {
    let store = MemoryProvider::builder().namespace("app").build();
    let shared: Arc<dyn Provider> = Arc::new(store.clone());
    let boxed: Box<dyn Provider> = Box::new(Arc::clone(&shared));
    let lease = Prefix::unique(CellKind::Lease);
    let acquired = boxed.acquire(Acquire::new("k", lease, LONG)).await.expect("in memory");
    assert!(matches!(acquired, Acquired::Granted(_)));
    assert!(shared.renew("k", lease, LONG).await.expect("in memory"));
    assert!(store.release("k", lease).await.expect("in memory"));
    assert_eq!(boxed.describe(), store.describe());
    assert_eq!(boxed.describe().namespace, "app");
}
