//! One place for all keys: their texts, the types below them, how long they live, their tags.

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr};

use cache_runtime::{cache, cache_keys};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
struct User {
    name: String,
}

#[cache_keys]
trait CacheKeys {
    /// One user's profile.
    #[key("user:<id>", ttl = 1800, tags = ["users"])]
    fn user(id: &str) -> User;
    /// The names of the organisations that a user belongs to.
    #[key("user:<id>:organizations")]
    fn user_organizations(id: &str) -> Vec<String>;
    /// How often an address has asked for a path.
    #[key("ratelimit:<path>:<ip>")]
    fn rate_limit(ip: IpAddr, path: &str) -> u64;
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let home = IpAddr::V4(Ipv4Addr::LOCALHOST);
    println!("{}", CacheKeys::user("123"));
    println!("{}", CacheKeys::rate_limit(home, "/api/users"));
    // What could be mistaken for a part of the key is escaped.
    println!("{}", CacheKeys::user("123:organizations"));

    let ada = User { name: "Ada".to_owned() };
    cache().set(CacheKeys::user("123"), &ada).await?;
    cache()
        .set(CacheKeys::user_organizations("123"), &vec!["Analytical Engines".to_owned()])
        .await?;

    // The key knows the type: no annotation is needed, and none can be wrong.
    let user = cache().get(CacheKeys::user("123")).await?;
    println!("{user:?}");

    let removed = cache().invalidate_pattern(CacheKeys::user_pattern("123")).await?;
    println!("{removed} below the user");
    cache().invalidate_tag("users").await?;
    println!("{:?}", cache().get(CacheKeys::user("123")).await?);
    Ok(())
}

// Output:
// user:123
// ratelimit:/api/users:127.0.0.1
// user:123%3Aorganizations
// Some(User { name: "Ada" })
// 1 below the user
// None
