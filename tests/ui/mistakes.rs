//! Programs with mistakes in what the macros are told, and the messages that the compiler has for them.
//!
//! `TRYBUILD=overwrite cargo test -p cache-tests-ui` writes the expected messages anew.

/// All in one test: nothing of them is linked or run, so that the compiler checks them in one go.
#[test]
fn mistakes_are_told_at_their_place() {
    let cases = trybuild::TestCases::new();
    for area in ["cached", "keys", "writes"] {
        cases.compile_fail(format!("{area}/fail/*.rs"));
    }
}
