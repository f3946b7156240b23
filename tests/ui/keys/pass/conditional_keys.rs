#![deny(warnings)]
// Odd on purpose.
#![allow(clippy::non_minimal_cfg)]

use cache_runtime::cache_keys;

#[cache_keys]
trait Keys {
    #[cfg(any())]
    #[key("user:<id>")]
    fn user(id: Missing) -> String;
    #[cfg(all())]
    #[deprecated(note = "use `users`")]
    #[key("old:<id>")]
    fn old(id: u64) -> String;
}

#[test]
fn runs() {
    #[allow(deprecated)]
    let key = Keys::old(1);
    assert_eq!(key.as_str(), "old:1");
}
