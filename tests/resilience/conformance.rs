//! The rules keep the provider's contract.

use std::sync::Arc;

use cache_runtime::Clock;
use cache_runtime::conformance::Suite;
use cache_runtime::provider::{MemoryProvider, Provider};
use cache_runtime::resilience::{ResilienceOptions, Resilient};
use cache_tests::providers::reference::Reference;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_contract_holds_over_memory() {
    let (clock, hand) = Clock::manual();
    let store = MemoryProvider::builder().clock(clock.clone()).build();
    let connect = move |namespace| {
        let inner = Arc::new(store.in_namespace(namespace));
        Resilient::new(inner, ResilienceOptions::redis(), clock.clone())
    };
    let report = Suite::on_manual_clock(connect, hand).run().await;
    println!("{report}");
    report.assert_passed();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_contract_holds_over_the_reference_on_the_system_clock() {
    let store = Arc::new(Reference::new(""));
    let time = Arc::clone(&store);
    let suite = Suite::new(
        move |namespace| {
            let inner: Arc<dyn Provider> = Arc::new(store.in_namespace(&namespace));
            let resilient: Arc<dyn Provider> =
                Resilient::new(inner, ResilienceOptions::redis(), Clock::system());
            Box::pin(std::future::ready(Ok(resilient)))
        },
        move |by| {
            time.advance(by);
            Box::pin(std::future::ready(()))
        },
    );
    let report = suite.run().await;
    println!("{report}");
    report.assert_passed();
}
