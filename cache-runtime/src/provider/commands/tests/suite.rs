//! The conformance suite on every sort of link: for bytes and text, one bucket and many.

use std::sync::Arc;
use std::time::Duration;

use super::plain::PlainLink;
use super::server::Server;
use crate::conformance::Suite;
use crate::provider::Provider;
use crate::provider::commands::Steps;

/// Most cases wait, so that many can at once; their TTLs are long enough for all of them to share the
/// machine.
const AT_ONCE: usize = 16;
const UNIT: Duration = Duration::from_millis(500);

async fn passes<const TEXT: bool>(
    prepare: impl Fn(PlainLink<TEXT>) -> PlainLink<TEXT>,
    buckets: u16,
) {
    let server = Server::start();
    let link = prepare(server.link::<TEXT>(buckets).await);
    let suite = Suite::on_server(move |namespace| {
        let provider: Arc<dyn Provider> = Arc::new(Steps::new(link.clone(), &namespace));
        async move { Ok(provider) }
    });
    let suite = suite.unit(UNIT);
    assert!(suite.names().len() >= 299, "cases are missing");
    suite.at_once(AT_ONCE).run().await.assert_passed();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_in_one_bucket() {
    passes::<false>(|link| link, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_in_many_buckets() {
    passes::<false>(|link| link, 64).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_in_many_buckets_of_servers_with_lives_of_their_own() {
    passes::<false>(PlainLink::with_many_lives, 64).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn text_in_one_bucket() {
    passes::<true>(|link| link, 1).await;
}
