//! Past its TTL a value may be served for a while longer, while one load in the background
//! renews it: nobody waits.

use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cache_runtime::cached;
use tokio::time::sleep;

static LOADS: AtomicU64 = AtomicU64::new(0);

/// A slow load: a fifth of a second.
#[cached(key = "rates:<currency>", ttl = "50ms", stale = "1m")]
async fn rates(currency: String) -> String {
    sleep(Duration::from_millis(200)).await;
    format!("{currency}, edition {}", LOADS.fetch_add(1, Ordering::Relaxed) + 1)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    println!("loaded: {}", rates("EUR".to_owned()).await);
    sleep(Duration::from_millis(100)).await;

    let begin = Instant::now();
    let value = rates("EUR".to_owned()).await;
    let waited = begin.elapsed() >= Duration::from_millis(100);
    println!("past the TTL: {value}, waited: {waited}");

    // The load in the background ends when it ends; until then the old value is what there is.
    while rates::peek("EUR".to_owned()).await.as_deref() != Some("EUR, edition 2") {
        sleep(Duration::from_millis(10)).await;
    }
    println!("renewed in the background, loads: {}", LOADS.load(Ordering::Relaxed));
    Ok(())
}

// Output:
// loaded: EUR, edition 1
// past the TTL: EUR, edition 1, waited: false
// renewed in the background, loads: 2
