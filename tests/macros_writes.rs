//! `#[invalidates]` and `#[write_through]`: what compiles, what does not, and what is said then.

#[test]
fn writers_that_are_refused_say_why_and_others_compile() {
    let cases = trybuild::TestCases::new();
    cases.pass("ui/writes/pass/*.rs");
    cases.compile_fail("ui/writes/fail/*.rs");
}
