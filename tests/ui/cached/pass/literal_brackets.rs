//! Doubled brackets, colons and other text around placeholders.

use cache_runtime::cached;

#[cached(key = r#"a "quoted" <<x>> {{y}}: <id>"#, tags = ["tag \"q\" <id>"])]
async fn get(id: &str) -> String {
    id.to_owned()
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    assert_eq!(get("1").await, "1");
    assert_eq!(get::key("1").as_str(), "a \"quoted\" <x> {y}: 1");
}
