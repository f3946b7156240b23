//! `UpstashProvider` on the stand-in: the contract, what is sent, and what failures become.

#[path = "provider/failures.rs"]
mod failures;
#[path = "provider/lives.rs"]
mod lives;
#[path = "provider/requests.rs"]
mod requests;

use std::sync::Arc;
use std::time::Duration;

use cache_runtime::conformance::Suite;
use cache_runtime::provider::{Provider, UpstashProvider};
use upstash_standin::StandIn;

const HOUR: Duration = Duration::from_secs(3_600);

async fn stand_in() -> StandIn {
    StandIn::start().await.expect("a stand-in (is redis-server installed?)")
}

fn provider(upstash: &StandIn) -> UpstashProvider {
    UpstashProvider::new(&upstash.url(), upstash.token(), "app").expect("a provider")
}

/// A provider that has been answered before, and counts from now on.
async fn warm(upstash: &StandIn) -> UpstashProvider {
    let provider = provider(upstash);
    provider.ping().await.expect("an answer");
    upstash.reset_counts();
    provider
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_upstash_provider_keeps_the_contract() {
    let upstash = Arc::new(stand_in().await);
    let suite = Suite::on_server(move |namespace| {
        let made = UpstashProvider::new(&upstash.url(), upstash.token(), &namespace);
        std::future::ready(made.map(|provider| Arc::new(provider) as Arc<dyn Provider>))
    });
    // Many wait at once, with longer TTLs, since they share the machine.
    let report = suite.unit(Duration::from_millis(800)).at_once(16).run().await;
    println!("{report}");
    report.assert_passed();
}
