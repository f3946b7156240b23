//! Every provider keeps the contract, and the suite notices one that does not.

#[path = "conformance/differential.rs"]
mod differential;

use std::sync::{Arc, Mutex};

use cache_runtime::Clock;
use cache_runtime::conformance::{Report, Suite};
use cache_runtime::provider::{MemoryProvider, Provider};
use cache_tests::providers::broken::{Broken, Fault};
use cache_tests::providers::reference::Reference;

fn on_memory() -> Suite {
    let (clock, hand) = Clock::manual();
    let store = MemoryProvider::builder().clock(clock).build();
    Suite::on_manual_clock(move |namespace| store.in_namespace(namespace), hand)
}

fn on_reference() -> Suite {
    let store = Arc::new(Reference::new(""));
    let clock = Arc::clone(&store);
    Suite::new(
        move |namespace| {
            let provider: Arc<dyn Provider> = Arc::new(store.in_namespace(&namespace));
            Box::pin(std::future::ready(Ok(provider)))
        },
        move |by| {
            clock.advance(by);
            Box::pin(std::future::ready(()))
        },
    )
}

fn on_broken(fault: Fault) -> Suite {
    let (clock, hand) = Clock::manual();
    let store = MemoryProvider::builder().clock(clock).build();
    let others = Arc::<Mutex<Vec<_>>>::default();
    let connect = move |namespace: String| {
        let inner: Arc<dyn Provider> = Arc::new(store.in_namespace(namespace));
        Broken::new(inner, fault, Arc::clone(&others))
    };
    Suite::on_manual_clock(connect, hand)
}

fn passes(report: &Report) {
    println!("{report}");
    report.assert_passed();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_memory_provider_keeps_the_contract() {
    passes(&on_memory().run().await);
}

#[tokio::test]
async fn the_memory_provider_keeps_the_contract_on_one_thread() {
    passes(&on_memory().run().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_reference_keeps_the_contract() {
    passes(&on_reference().run().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_memory_provider_keeps_the_contract_in_real_time() {
    let store = MemoryProvider::new(100_000);
    let connect = move |namespace: String| {
        let provider: Arc<dyn Provider> = Arc::new(store.in_namespace(namespace));
        std::future::ready(Ok(provider))
    };
    // Only what waits for time, many at once; the clock's coarseness is well below the unit.
    let suite = Suite::on_server(connect).unit(std::time::Duration::from_millis(400)).at_once(16);
    passes(&suite.clone().only("expiry::").run().await);
    passes(&suite.only("holds::").run().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_suite_catches_every_broken_rule() {
    let mut missed = Vec::new();
    for fault in Fault::ALL {
        let report = on_broken(fault).run().await;
        let caught: Vec<&str> = report.failed().map(|outcome| outcome.name()).collect();
        println!("{fault:?}: caught by {} cases, {:?} ..", caught.len(), caught.first());
        if caught.is_empty() {
            missed.push(fault);
        }
    }
    assert!(missed.is_empty(), "not caught: {missed:?}");
}

#[test]
fn the_suite_has_cases_and_no_name_twice() {
    let mut names = on_memory().names();
    println!("{} cases", names.len());
    assert!(names.len() >= 200, "{} cases", names.len());
    names.sort();
    names.dedup();
    assert_eq!(names.len(), on_memory().names().len());
}
