//! How long things live, decided once and by name.

use std::error::Error;
use std::time::Duration;

use cache_runtime::{Policy, cached, policy};

/// Catalogue data of this shop: the application policy with a shorter life.
const CATALOGUE: Policy = policy::APPLICATION.ttl(Duration::from_secs(600));

/// Stock changes by the minute and is never served stale.
#[cached(key = "stock:<article>", policy = policy::OPERATIONAL)]
async fn stock(article: u64) -> u64 {
    article % 10
}

#[cached(key = "title:<article>", policy = CATALOGUE)]
async fn title(article: u64) -> String {
    format!("article {article}")
}

/// What stands beside a policy overrides it, here the TTL by the value itself.
#[cached(key = "offer:<article>", policy = CATALOGUE, ttl = |offer: &Offer| Duration::from_secs(offer.seconds_left))]
async fn offer(article: u64) -> Offer {
    Offer { percent: article % 50, seconds_left: 90 }
}

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Offer {
    percent: u64,
    seconds_left: u64,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    println!(
        "{} pieces of {}, {} % off",
        stock(42).await,
        title(42).await,
        offer(42).await.percent
    );
    println!("{:?} {:?}", stock::peek(42).await, title::peek(42).await);
    Ok(())
}

// Output:
// 2 pieces of article 42, 42 % off
// Some(2) Some("article 42")
