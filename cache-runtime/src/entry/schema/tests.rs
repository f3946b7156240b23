//! Names without modules. What changes a fingerprint is tested from outside, in `tests/`.

use super::without_modules;

#[test]
fn a_name_keeps_the_last_segment_of_each_path() {
    let cases = [
        ("u8", "u8"),
        ("shop::users::User", "User"),
        ("core::option::Option<shop::User>", "Option<User>"),
        ("(a::B, &c::D<e::F>, [g::H; 3])", "(B, &D<F>, [H; 3])"),
        ("dyn a::B + c::D", "dyn B + D"),
        ("", ""),
    ];
    for (name, short) in cases {
        assert_eq!(without_modules(name), short);
    }
}
