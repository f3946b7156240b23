use std::time::Duration;

use cache_runtime::{Tag, cache_keys};

const HOUR: Duration = Duration::from_secs(3600);

fn users() -> Tag {
    Tag::from("users")
}

#[cache_keys]
trait Keys {
    #[key("a:<id>:<org>", ttl = HOUR, tags = [users(), "org:<org>"])]
    fn a(id: u64, org: u64) -> String;
    #[key("b:<id>", ttl = HOUR * 2,)]
    fn b(id: u64) -> String;
    #[key("c:<id>", ttl = "1h30m", tags = [])]
    fn c(id: u64) -> String;
    #[key("d:<id>", ttl = "500ms")]
    fn d(id: u64) -> String;
}

#[test]
fn runs() {
    let a = Keys::a(1, 2);
    assert_eq!(a.ttl(), Some(HOUR));
    assert_eq!(a.tags().iter().map(Tag::as_str).collect::<Vec<_>>(), ["users", "org:2"]);
    assert_eq!(Keys::b(1).ttl(), Some(HOUR * 2));
    assert_eq!(Keys::c(1).ttl(), Some(Duration::from_secs(5400)));
    assert_eq!(Keys::d(1).ttl(), Some(Duration::from_millis(500)));
}
