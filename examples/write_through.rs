//! A writer that returns the new value can put it into the cache, so that the next read is a hit.

use std::collections::HashMap;
use std::error::Error;
use std::sync::{LazyLock, Mutex, PoisonError};

use cache_runtime::{cached, write_through};

static NAMES: LazyLock<Mutex<HashMap<u64, String>>> = LazyLock::new(Mutex::default);

#[cached(key = "name:<id>", ttl = "10m")]
async fn name(id: u64) -> Result<String, String> {
    println!("loading the name of {id}");
    let names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    names.get(&id).cloned().ok_or_else(|| format!("nobody is {id}"))
}

#[write_through(name(id))]
async fn rename(id: u64, new_name: &str) -> Result<String, String> {
    if new_name.is_empty() {
        return Err("a name has letters".to_owned());
    }
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    names.insert(id, new_name.to_owned());
    Ok(new_name.to_owned())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    println!("{:?}", name(1).await);
    rename(1, "Ada").await?;
    println!("{:?}", name(1).await);
    // A write that failed changes nothing in the cache.
    println!("{:?}", rename(1, "").await);
    println!("{:?}", name(1).await);
    Ok(())
}

// Output:
// loading the name of 1
// Err("nobody is 1")
// Ok("Ada")
// Err("a name has letters")
// Ok("Ada")
