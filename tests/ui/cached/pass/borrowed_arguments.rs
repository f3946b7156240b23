//! References of all kinds.

use std::path::Path;

use cache_runtime::{KeyPart, PartWriter, cached};

pub struct UserId(u64);

impl KeyPart for UserId {
    fn write_part(&self, out: &mut PartWriter<'_>) {
        self.0.write_part(out);
    }
}

#[cached(key = "a:<text>:<id>:<list>:<number>")]
async fn all(text: &str, id: &UserId, list: &[u64], number: &u32) -> u64 {
    text.len() as u64 + id.0 + list.len() as u64 + u64::from(*number)
}

#[cached(key = "b:<text>", skip(path, buffer))]
async fn skipped(text: &'static str, path: &Path, buffer: &mut Vec<u8>) -> usize {
    buffer.push(1);
    text.len() + path.as_os_str().len()
}

#[cached(key = "c:<a>:<b>")]
async fn named<'a>(a: &'a str, b: std::borrow::Cow<'a, str>) -> usize {
    a.len() + b.len()
}

#[cached(key = "d:<a>:<b>")]
async fn bounded<'a, 'b: 'a>(a: &'a str, b: &'b str) -> usize
where
    'b: 'a,
{
    a.len() + b.len()
}

#[cached(key = "e:<a>:<b>")]
async fn nested(a: Option<&str>, b: &&str) -> usize {
    a.map_or(0, str::len) + b.len()
}

#[tokio::test]
async fn runs() {
    let cache = cache_runtime::Cache::builder().in_memory().build().await.unwrap();
    let program = async {
        assert_eq!(all("ab", &UserId(1), &[1, 2], &3).await, 8);
        assert_eq!(all::key("ab", &UserId(1), &[1, 2], &3).as_str(), "a:ab:1:(1,2):3");
        assert_eq!(skipped("ab", Path::new("c"), &mut Vec::new()).await, 3);
        assert_eq!(named("a", "b".into()).await, 2);
        assert_eq!(bounded("a", "b").await, 2);
        assert_eq!(nested(Some("a"), &"b").await, 2);
        let local = String::from("local");
        assert_eq!(named::key(&local, local.as_str().into()).as_str(), "c:local:local");
    };
    cache_runtime::scope(cache, program).await;
}
