use std::collections::HashMap;

use super::Names;
use crate::Pattern;
use crate::provider::Mark;
use crate::provider::commands::Bucket;

const TEXTS: [&str; 16] = [
    "", ":", "k:", "x", "x:k:y", "k:x", "{1}:x", "{1}x", "{}", "%", "%3A", "*", "?[a]", "\\", "\0",
    "größe",
];

const NAMESPACES: [&str; 14] = [
    "", "app", "app:x", "app:k", "app%3Ax", "app%", "{app}", "}", "*", "a*", "[a]", "?", "\\", "ä",
];

fn cell(names: &Names, key: &str) -> Vec<u8> {
    let mut name = b"something else".to_vec();
    names.write_cell("test", names.bucket_of(key), key, &mut name).unwrap();
    name
}

fn mark(names: &Names, beside: &str, mark: Mark<'_>) -> Vec<u8> {
    let mut name = Vec::new();
    names.write_mark("test", names.bucket_of_mark(beside, &mark), &mark, &mut name).unwrap();
    name
}

#[test]
fn names_are_as_the_table_says() {
    let one = Names::new("app", 1, 1_000);
    assert_eq!(cell(&one, "user:42"), b"app:k:user:42");
    assert_eq!(mark(&one, "user:42", Mark::tag("users")), b"app:t:users");
    assert_eq!(mark(&one, "user:42", Mark::epoch("users")), b"app:e:users");
    assert_eq!(mark(&one, "user:42", Mark::scope("fn:f")), b"app:s:fn:f");
    assert_eq!(cell(&Names::new("", 1, 1_000), "k"), b":k:k");
    let many = Names::new("app", 64, 1_000);
    let (home, of_tag) = (many.bucket_of("user:42").0, many.bucket_of("users").0);
    assert_ne!(home, of_tag, "the texts should show different buckets");
    let text = |name: Vec<u8>| String::from_utf8(name).unwrap();
    assert_eq!(text(cell(&many, "user:42")), format!("app:k:{{{home}}}:user:42"));
    assert_eq!(text(mark(&many, "user:42", Mark::scope("f"))), format!("app:s:{{{home}}}:f"));
    assert_eq!(
        text(mark(&many, "user:42", Mark::tag("users"))),
        format!("app:t:{{{of_tag}}}:users")
    );
}

#[test]
fn no_two_things_have_one_name() {
    for buckets in [1, 64] {
        let mut seen: HashMap<Vec<u8>, String> = HashMap::new();
        let mut put = |name: Vec<u8>, what: String| {
            if let Some(other) = seen.insert(name.clone(), what.clone()) {
                panic!("{what} and {other} are both {}", name.escape_ascii());
            }
        };
        for namespace in NAMESPACES {
            let names = Names::new(namespace, buckets, 1_000);
            for text in TEXTS {
                put(cell(&names, text), format!("cell {text:?} in {namespace:?}"));
                for kind in [Mark::tag(text), Mark::epoch(text), Mark::scope(text)] {
                    put(mark(&names, "beside", kind), format!("{kind:?} in {namespace:?}"));
                }
            }
        }
        assert_eq!(seen.len(), NAMESPACES.len() * TEXTS.len() * 4);
    }
}

#[test]
fn the_hash_tag_of_a_name_is_its_bucket() {
    for namespace in NAMESPACES {
        let names = Names::new(namespace, 64, 1_000);
        for text in TEXTS {
            let name = String::from_utf8(cell(&names, text)).unwrap();
            let (_, rest) = name.split_once('{').unwrap();
            let (tag, _) = rest.split_once('}').unwrap();
            assert_eq!(tag, names.bucket_of(text).0.to_string(), "{name:?}");
        }
    }
}

#[test]
fn a_name_leads_back_to_its_key_in_its_own_namespace_alone() {
    for buckets in [1, 64] {
        for namespace in NAMESPACES {
            let names = Names::new(namespace, buckets, 1_000);
            for text in TEXTS {
                let name = cell(&names, text);
                assert_eq!(names.key_in(&name), Some((names.bucket_of(text), text)));
                assert_eq!(names.bucket_in(&name), Some(names.bucket_of(text)));
                let tag = mark(&names, "", Mark::tag(text));
                assert_eq!(names.key_in(&tag), None);
                assert_eq!(names.bucket_in(&tag), Some(names.bucket_of(text)));
                for other in NAMESPACES.into_iter().filter(|other| *other != namespace) {
                    assert_eq!(Names::new(other, buckets, 1_000).bucket_in(&name), None);
                }
            }
        }
    }
}

#[test]
fn what_is_not_quite_a_name_is_none() {
    let (one, many) = (Names::new("app", 1, 1_000), Names::new("app", 64, 1_000));
    for name in [&b"app"[..], b"app:", b"app:k", b"app:kx", b"app:x:y", b"app2:k:x", b"app:k:\xff"]
    {
        assert_eq!(one.bucket_in(name), None, "{}", name.escape_ascii());
    }
    for name in [&b"app:k:x"[..], b"app:k:{64}:x", b"app:k:{01}:x", b"app:k:{+1}:x", b"app:k:{1}x"]
    {
        assert_eq!(many.bucket_in(name), None, "{}", name.escape_ascii());
    }
    assert_eq!(many.key_in(b"app:k:{1}:}:x"), Some((Bucket(1), "}:x")));
}

#[test]
fn globs_leave_out_nothing_that_fits() {
    let patterns = [
        "*",
        "",
        "x*",
        "*x",
        "?*",
        "k[:]x",
        "[^a]*",
        "x\\:*",
        "{*}*",
        "%*",
        "\\**",
        "a]*",
        "***",
        "*a*b*c*d*e*",
        "größe",
        "gr*e",
        "*\\",
    ];
    for buckets in [1, 64] {
        for namespace in NAMESPACES {
            let names = Names::new(namespace, buckets, 1_000);
            for pattern in patterns.map(Pattern::from) {
                let glob = String::from_utf8(names.cells_like(&pattern)).unwrap();
                for text in TEXTS.into_iter().filter(|text| pattern.matches(text)) {
                    let name = String::from_utf8(cell(&names, text)).unwrap();
                    assert!(Pattern::from(&glob).matches(&name), "{glob:?} leaves out {name:?}");
                }
            }
        }
    }
}

#[test]
fn globs_are_as_narrow_as_they_safely_can_be() {
    let glob = |pattern: &str, buckets| {
        let names = Names::new("a*p", buckets, 1_000);
        String::from_utf8(names.cells_like(&Pattern::from(pattern))).unwrap()
    };
    assert_eq!(glob("user:*:x", 1), "a%2Ap:k:user:*:x");
    assert_eq!(glob("user:*:x", 64), "a%2Ap:k:{*}:user:*:x");
    // What servers may understand differently, or could be busy with for very long, is left to us.
    assert_eq!(glob("user:?x*", 1), "a%2Ap:k:user:*");
    assert_eq!(glob("user:*[ab]", 1), "a%2Ap:k:user:*");
    assert_eq!(glob("user:\\*x*", 1), "a%2Ap:k:user:*");
    assert_eq!(glob("a*a*a*a*a*b", 1), "a%2Ap:k:a*");
    assert_eq!(Names::new("a*p", 64, 1_000).everything(), b"a%2Ap:*");
}

#[test]
fn a_name_that_is_too_long_is_an_error_of_its_own() {
    let names = Names::new("app", 64, 1_100);
    let mut name = Vec::new();
    names.write_cell("read", Bucket(63), &"k".repeat(1_024), &mut name).unwrap();
    let error = names.write_cell("read", Bucket(63), &"k".repeat(1_100), &mut name).unwrap_err();
    assert_eq!(error.kind(), crate::ErrorKind::InvalidKey);
    assert!(!error.to_string().contains("kk"), "the key is in the message");
}

#[test]
fn buckets_share_the_keys_about_evenly() {
    let names = Names::new("", 64, 1_000);
    let mut counts = [0_u32; 64];
    for number in 0..64_000 {
        counts[usize::from(names.bucket_of(&format!("user:{number}")).0)] += 1;
    }
    assert!(counts.iter().all(|count| (800..1_200).contains(count)), "{counts:?}");
}
