//! What the program caches, known before anything was called: useful for an overview, and for a
//! unit test that finds keys and tags which do not fit together.

use cache_runtime::{cached, invalidates, registry};

#[cached(key = "article:<number>", ttl = "10m", tags = ["articles"])]
async fn article(number: u64) -> String {
    format!("article {number}")
}

#[cached(key = "article:<number>:stock", ttl = "5s")]
async fn stock(number: u64) -> u64 {
    number % 10
}

/// The tag has a spelling mistake, which no compiler can see.
#[invalidates(article(number), tags = ["artcles"])]
async fn retitle(number: u64) -> Result<(), String> {
    (number > 0).then_some(()).ok_or_else(|| "there is no such article".to_owned())
}

#[tokio::main]
async fn main() {
    for entry in registry::entries() {
        println!("{}: key `{}`, tags {:?}", entry.name, entry.key, entry.tags);
    }
    let _ = (article(1).await, stock(1).await, retitle(1).await);

    // In a service: `registry::check().unwrap_or_else(|problems| panic!("{problems}"))` in a test.
    let problems = registry::check().expect_err("the spelling mistake is found");
    println!("{} problem", problems.list().len());
    println!("names the tag: {}", problems.to_string().contains("`artcles`"));
}

// Output:
// registry::article: key `article:<number>`, tags ["articles"]
// registry::stock: key `article:<number>:stock`, tags []
// registry::retitle: key ``, tags []
// 1 problem
// names the tag: true
