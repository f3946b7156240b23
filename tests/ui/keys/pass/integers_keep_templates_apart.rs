use cache_runtime::cache_keys;

#[cache_keys]
trait Keys {
    #[key("user:<id>")]
    fn user(id: u64) -> String;
    #[key("user:me")]
    fn me() -> String;
    #[key("user:<id>:name")]
    fn name(id: &u64) -> String;
    #[key("user:<name>:by_name")]
    fn by_name(name: &str) -> String;
    #[key("balance:<cents>")]
    fn balance(cents: i64) -> String;
    #[key("balance:sum")]
    fn sum() -> String;
}

#[test]
fn runs() {
    assert_eq!(Keys::user(1).as_str(), "user:1");
    assert_eq!(Keys::me().as_str(), "user:me");
    let _ = (Keys::name(&1), Keys::by_name("x"), Keys::balance(-1), Keys::sum());
}
