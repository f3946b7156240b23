//! One of several processes on one store; see `cache_tests::worker`.

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let oracle = std::env::args().nth(1).expect("the oracle's URL");
    cache_tests::worker::serve(&oracle).await
}
