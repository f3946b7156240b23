//! `#[cache_keys]` and `#[derive(KeyPart)]`: what compiles, what does not, and what is said then.

#[test]
fn keys_that_are_refused_say_why_and_others_compile() {
    let cases = trybuild::TestCases::new();
    cases.pass("ui/keys/pass/*.rs");
    cases.compile_fail("ui/keys/fail/*.rs");
}
