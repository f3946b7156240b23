#![deny(warnings)]

use cache_runtime::cache_keys;

#[cache_keys]
trait Keys {
    #[key("a:<key>:<ttl>:<tags>:<cache>:<out>:<self_>:<r#type>:<match>")]
    #[allow(clippy::too_many_arguments)]
    fn r#fn(
        key: u8,
        ttl: u8,
        tags: u8,
        cache: u8,
        out: u8,
        self_: u8,
        r#type: u8,
        r#match: u8,
    ) -> u8;
    #[key("b:<SITE>")]
    #[allow(non_snake_case)]
    fn site(SITE: u8) -> u8;
}

#[test]
fn runs() {
    assert_eq!(Keys::r#fn(1, 2, 3, 4, 5, 6, 7, 8).as_str(), "a:1:2:3:4:5:6:7:8");
    assert_eq!(Keys::fn_pattern(1, 2, 3, 4, 5, 6, 7, 8).as_str(), "a:1:2:3:4:5:6:7:8:*");
    assert_eq!(Keys::site(9).as_str(), "b:9");
}
