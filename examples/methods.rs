//! Methods are annotated like functions, and their helpers are siblings of theirs. What makes two
//! objects different belongs into the key: `<self.tenant>`.

use std::error::Error;

use cache_runtime::cached;

struct Shop {
    tenant: u32,
    articles: Vec<&'static str>,
}

impl Shop {
    #[cached(key = "shop:<self.tenant>:article:<number>", ttl = "10m", none_ttl = "1m")]
    async fn article(&self, number: usize) -> Option<String> {
        println!("shop {} looks up article {number}", self.tenant);
        self.articles.get(number).map(|name| (*name).to_owned())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let books = Shop { tenant: 1, articles: vec!["atlas", "dictionary"] };
    let fruit = Shop { tenant: 2, articles: vec!["apple"] };
    for _ in 0..2 {
        println!("{:?} {:?}", books.article(0).await, fruit.article(0).await);
    }
    println!("{}", books.article_key(0));
    books.article_invalidate(0).await?;
    println!("{:?} {:?}", books.article_peek(0).await, fruit.article_peek(0).await);
    println!("{:?}", fruit.article(5).await);
    println!("{:?}", fruit.article(5).await);
    Ok(())
}

// Output:
// shop 1 looks up article 0
// shop 2 looks up article 0
// Some("atlas") Some("apple")
// Some("atlas") Some("apple")
// shop:1:article:0
// None Some("apple")
// shop 2 looks up article 5
// None
// None
