use super::{Surroundings, surroundings_at};

/// What encloses the `@` in the source.
fn at(source: &str) -> Surroundings {
    let before = &source[..source.find('@').expect("a mark")];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    surroundings_at(source, line, column)
}

#[test]
fn modules_and_blocks_are_free() {
    for source in [
        "@",
        "use a::b;\n\n@",
        "mod inner {\n    @",
        "mod a { impl X { fn f() {} } @ }",
        "fn outer() -> impl Trait { @",
        "fn outer() { if x { struct S; } @",
        "impl X { fn f(&self) { @",
        "impl X { fn f(&self) { let a = || { @",
        "macro_rules! m { ($t:ty) => { @",
        "const X: u8 = { @",
        "// impl X {\n@",
        "/* impl X { /* nested */ { */ @",
        "const S: &str = \"impl X {\";\n@",
        "const S: &str = r#\"impl X \" {\"#;\n@",
        "const C: char = '{';\n@",
    ] {
        assert_eq!(at(source), Surroundings::Free, "{source}");
    }
}

#[test]
fn inherent_impls_are_seen() {
    for source in [
        "impl X {\n    @",
        "impl X { fn a() {} const B: u8 = 1; @",
        "impl<T> X<T> where T: Clone { @",
        "impl<F: for<'a> Fn(&'a u8)> X<F> { @",
        "impl X<for<'a> fn(&'a str)> where for<'b> F: G<'b> { @",
        "#[allow(dead_code)] impl X { @",
        "#![allow(x)]\n#[cfg(all(a, b))]\n#[doc = \"{\"]\nimpl X { @",
        "/// Docs with a { brace.\nimpl X { @",
        "mod m { use x::{a, b}; struct S { a: u8 } impl S { @",
        "unsafe impl X { @",
        "macro_rules! m { ($t:ty) => { impl $t { @",
        "const C: char = '\\'';\nimpl<'a> X<'a> { @",
        "fn f() { impl X { @",
        "impl X { fn f(a: [u8; { 1 + 1 }]) {} @",
        "impl X { fn é() { 'é' } @",
    ] {
        assert_eq!(at(source), Surroundings::Impl, "{source}");
    }
}

#[test]
fn traits_and_their_impls_are_seen() {
    for source in [
        "impl Tr for X { @",
        "impl<'a, T: 'a> Tr<T> for &'a X<T> where T: Clone { fn a() {} @",
        "unsafe impl Tr for X { @",
        "#[async_trait]\nimpl Tr for X { @",
        "impl<F: for<'a> Fn(&'a u8)> Tr for X<F> { @",
    ] {
        assert_eq!(at(source), Surroundings::TraitImpl, "{source}");
    }
    for source in
        ["trait Tr { @", "pub(crate) unsafe trait Tr: Sized { fn a(); @", "pub trait T { @"]
    {
        assert_eq!(at(source), Surroundings::Trait, "{source}");
    }
}

#[test]
fn a_place_outside_is_answered() {
    assert_eq!(surroundings_at("", 0, 0), Surroundings::Unknown);
    assert_eq!(surroundings_at("fn f() {}", 100, 100), Surroundings::Free);
    assert_eq!(surroundings_at("} } ) impl X {} '", 1, 17), Surroundings::Free);
}
