use quote::ToTokens;
use syn::Expr;

use super::parse_cached;
use crate::diagnostics::Errors;
use crate::model::RawCached;

fn parse(text: &str) -> (RawCached, Vec<String>) {
    let mut errors = Errors::new();
    let raw = parse_cached(text.parse().expect("tokens"), &mut errors);
    (raw, messages(errors))
}

/// The texts of the `compile_error!`s.
fn messages(errors: Errors) -> Vec<String> {
    let tokens = errors.into_tokens().to_string();
    tokens
        .split("compile_error ! { \"")
        .skip(1)
        .map(|rest| rest.split("\" }").next().unwrap_or("").to_owned())
        .collect()
}

fn text(expr: Option<&Expr>) -> String {
    expr.expect("a value").to_token_stream().to_string()
}

#[test]
fn every_argument_is_read() {
    let (raw, errors) = parse(
        r#"key = "a", ttl = 1, tags = ["x", y()], skip(db, r#type), stale = 2, stale_if_error = 3, none_ttl = 4,
           cache_if = |a| a.b(1, 2), early = 1.0, jitter = "1%", timeout = T, policy = a::B, crate = crate::c,"#,
    );
    assert_eq!(errors, Vec::<String>::new());
    assert_eq!(text(raw.key.as_ref().map(|setting| &setting.value)), "\"a\"");
    assert_eq!(raw.tags.map(|setting| setting.value.len()), Some(2));
    let names =
        raw.skip.map(|setting| setting.value.iter().map(ToString::to_string).collect::<Vec<_>>());
    assert_eq!(names, Some(vec!["db".to_owned(), "r#type".to_owned()]));
    assert_eq!(text(raw.cache_if.as_ref().map(|setting| &setting.value)), "| a | a . b (1 , 2)");
    assert!(
        raw.policy.is_some() && raw.root.is_some() && raw.early.is_some() && raw.timeout.is_some()
    );
    assert!(
        raw.ttl.is_some()
            && raw.stale.is_some()
            && raw.stale_if_error.is_some()
            && raw.none_ttl.is_some()
    );
}

#[test]
fn skip_has_three_forms() {
    for form in ["skip(a, b)", "skip = (a, b)", "skip(a, b,)"] {
        let (raw, errors) = parse(form);
        assert_eq!(errors, Vec::<String>::new(), "{form}");
        assert_eq!(raw.skip.map(|setting| setting.value.len()), Some(2), "{form}");
    }
    assert_eq!(parse("skip = a").0.skip.map(|setting| setting.value.len()), Some(1));
}

#[test]
fn one_mistake_spoils_no_other_argument() {
    let (raw, errors) = parse(r#"key = , nope = [a, b = 3], ttl = 5, skip(1), stale 6, early = 2"#);
    assert_eq!(errors.len(), 4, "{errors:?}");
    assert!(raw.ttl.is_some() && raw.early.is_some());
    assert!(raw.key.is_none() && raw.skip.is_none() && raw.stale.is_none());
}

#[test]
fn near_misses_are_suggested() {
    for (written, meant) in
        [("tll", "ttl"), ("tag", "tags"), ("expires", "ttl"), ("stale_iferror", "stale_if_error")]
    {
        let (_, errors) = parse(&format!("{written} = 1"));
        assert_eq!(errors, [format!("unknown argument `{written}`: did you mean `{meant}`")]);
    }
    assert!(parse("zzzzzz = 1").1[0].starts_with("unknown argument `zzzzzz`: there are `key`"));
}

#[test]
fn an_argument_is_given_once() {
    let (raw, errors) = parse("ttl = 1, ttl = 2");
    assert_eq!(errors, ["`ttl` is given twice: keep one"]);
    assert_eq!(text(raw.ttl.as_ref().map(|setting| &setting.value)), "1");
}
