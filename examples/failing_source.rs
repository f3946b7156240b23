//! While the source fails, the last good value is served for as long as `stale_if_error` allows.
//! A value that was invalidated is never served again, however the source does.

use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cache_runtime::cached;
use tokio::time::sleep;

static SOURCE_IS_DOWN: AtomicBool = AtomicBool::new(false);

#[cached(key = "price:<article>", ttl = "50ms", stale_if_error = "1h")]
async fn price(article: u64) -> Result<u64, String> {
    if SOURCE_IS_DOWN.load(Ordering::Relaxed) {
        return Err(format!("no price for article {article}: the source is down"));
    }
    Ok(article * 100)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    println!("{:?}", price(7).await);
    SOURCE_IS_DOWN.store(true, Ordering::Relaxed);
    sleep(Duration::from_millis(100)).await;
    println!("{:?}", price(7).await);

    // The price was changed: the old one is worse than none.
    price::invalidate(7).await?;
    println!("{:?}", price(7).await);
    Ok(())
}

// Output:
// Ok(700)
// Ok(700)
// Err("no price for article 7: the source is down")
