use cache_runtime::cache_keys;

#[cache_keys]
trait Keys {
    #[key("settings")]
    fn settings() -> String;
    #[key("{{settings}}:<<all>>")]
    fn all() -> String;
}

#[cache_keys]
trait None {}

#[test]
fn runs() {
    assert_eq!(Keys::settings().as_str(), "settings");
    assert_eq!(Keys::settings_pattern().as_str(), "settings:*");
    assert_eq!(Keys::all().as_str(), "{settings}:<all>");
    let _ = None;
}
