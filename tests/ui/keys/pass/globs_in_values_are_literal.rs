use cache_runtime::cache_keys;

#[cache_keys]
trait Keys {
    #[key("file:<name>")]
    fn file(name: &str) -> u64;
    #[key("star*:[<name>]")]
    fn starred(name: &str) -> u64;
}

#[test]
fn runs() {
    assert_eq!(Keys::file("a*b?[c]").as_str(), "file:a%2Ab%3F%5Bc%5D");
    assert_eq!(Keys::file_pattern("*").as_str(), "file:%2A:*");
    let below = Keys::file_pattern("*");
    assert!(below.matches("file:%2A:pages"));
    assert!(!below.matches("file:other:pages"));
    assert_eq!(Keys::starred("x").as_str(), "star*:[x]");
    let below = Keys::starred_pattern("x");
    assert!(below.matches("star*:[x]:pages"));
    assert!(!below.matches("stars:[x]:pages"));
    assert!(!below.matches("star*:x:pages"));
}
