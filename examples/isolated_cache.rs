//! A test gets a cache of its own with `scope`: what it stores is seen by nobody else, and no other
//! test's values are seen by it.

use std::error::Error;

use cache_runtime::{Cache, cached, scope};

#[cached(key = "greeting:<language>", ttl = "10m")]
async fn greeting(language: &str) -> String {
    println!("loading {language}");
    if language == "de" { "Guten Tag" } else { "Good day" }.to_owned()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    greeting("de").await;

    let own = Cache::builder().build().await?;
    let inside = scope(own.clone(), async {
        // The value above is in the global cache, and this is another one.
        greeting("de").await;
        greeting("de").await
    });
    println!("{}", inside.await);

    let counts = own.stats().await?.total;
    println!("in the scope: {} hit, {} load", counts.hits, counts.loads);
    Ok(())
}

// Output:
// loading de
// loading de
// Guten Tag
// in the scope: 1 hit, 1 load
