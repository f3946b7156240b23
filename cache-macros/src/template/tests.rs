//! Unit tests, and properties over seeded random templates.

use super::{Part, Template, ValueText, may_collide, suggest};

fn parsed(text: &str) -> Template {
    Template::parse(text).unwrap_or_else(|errors| panic!("{text:?}: {errors:?}"))
}

fn shape(template: &Template) -> Vec<String> {
    template
        .parts
        .iter()
        .map(|part| match part {
            Part::Text { text, .. } => format!("text {text}"),
            Part::Placeholder { path, .. } => {
                format!(
                    "path {}",
                    path.iter().map(|each| each.name.as_str()).collect::<Vec<_>>().join(".")
                )
            }
        })
        .collect()
}

/// Whatever the types.
fn meet(a: &Template, b: &Template) -> bool {
    may_collide(a, |_| ValueText::Any, b, |_| ValueText::Any)
}

fn messages(text: &str) -> Vec<String> {
    Template::parse(text).expect_err(text).into_iter().map(|error| error.message).collect()
}

#[test]
fn both_brackets_mean_the_same() {
    assert_eq!(shape(&parsed("user:<id>")), shape(&parsed("user:{id}")));
    assert_eq!(
        shape(&parsed("a<user.id>b{pair.0}c")),
        ["text a", "path user.id", "text b", "path pair.0", "text c"]
    );
    assert_eq!(shape(&parsed("<r#type>:<ключ>:<self.id>")).len(), 5);
}

#[test]
fn doubled_brackets_are_literal() {
    assert_eq!(shape(&parsed("{{a}}<<b>>")), ["text {a}<b>"]);
    assert_eq!(shape(&parsed("<<<id>>>")), ["text <", "path id", "text >"]);
    assert_eq!(parsed("{{a}}").to_string(), "{{a}}");
}

#[test]
fn ranges_are_bytes_of_the_text() {
    let text = "ü:<user.id>}}";
    let template = parsed(text);
    let (path, range) = template.placeholders().next().expect("a placeholder");
    assert_eq!(&text[range.clone()], "<user.id>");
    assert_eq!(&text[path[1].range.clone()], "id");
    assert!(
        matches!(&template.parts[2], Part::Text { text: shown, range } if shown == "}" && text[range.clone()] == *"}}")
    );
}

#[test]
fn mistakes_are_told_all_at_once() {
    assert_eq!(messages(""), ["the template is empty"]);
    assert_eq!(messages("a:<>:{}"), ["this placeholder is empty"; 2]);
    assert_eq!(messages("a:<id"), ["`<id` is never closed"]);
    assert_eq!(messages("a:<id:<x>"), ["`<id:` is never closed"]);
    assert_eq!(messages("a>:b}"), ["`>` closes nothing", "`}` closes nothing"]);
    assert_eq!(messages("<id}"), ["`<id` is opened with `<` and closed with `}`"]);
    assert_eq!(
        messages("<a>{b}"),
        ["nothing stands between `<a>` and `{b}`, so that different arguments would give one key"]
    );
    assert_eq!(messages("{id:?}"), ["a placeholder takes no format: `:?`"]);
    assert_eq!(messages("< id >"), ["spaces stand inside the placeholder ` id `"]);
    assert_eq!(messages("<0>"), ["`0` is a position, and parameters go by name"]);
    assert_eq!(messages("<a..b>"), ["a name is missing in the placeholder `a..b`"]);
    assert_eq!(messages("<_>"), ["`_` is not a name"]);
    assert_eq!(messages("<a.01>"), ["`01` is not a name"]);
    assert_eq!(messages("<f(x)>"), ["`f(x)` is not a name"]);
}

#[test]
fn family_is_known_only_from_literal_text() {
    assert_eq!(parsed("users").family(), Some("users"));
    assert_eq!(parsed("org:<id>").family(), Some("org"));
    assert_eq!(parsed("org<id>:x").family(), None);
    assert_eq!(parsed("<id>").family(), None);
}

#[test]
fn templates_that_meet_are_found() {
    for (a, b, expected) in [
        ("user:<id>", "user:{key}", true),
        ("user:<id>", "user:me", true),
        ("user:<id>", "user:<id>:organizations", false),
        ("user:<id>", "org:<id>", false),
        ("user:<id>:a", "user:b:<id>", true),
        ("<a>:x", "y:<b>", true),
        ("<a>-<b>", "<a>-<b>-<c>", true),
        ("a<x>", "b<x>", false),
        ("user:", "user:<id>", true),
        ("x*", "<a>", false),
        ("u:<a>/<b>", "u:<a>:<b>", false),
        ("u:<a>-", "u:b--", false),
        ("u:<a>-", "u:b-", true),
    ] {
        assert_eq!(meet(&parsed(a), &parsed(b)), expected, "{a} and {b}");
        assert_eq!(meet(&parsed(b), &parsed(a)), expected, "{b} and {a}");
    }
}

#[test]
fn types_keep_templates_apart() {
    let integer = |_: usize| ValueText::Integer { signed: false };
    let signed = |_: usize| ValueText::Integer { signed: true };
    let any = |_: usize| ValueText::Any;
    let (by_id, me) = (parsed("user:<id>"), parsed("user:me"));
    assert!(!may_collide(&by_id, integer, &me, any));
    assert!(!may_collide(&by_id, signed, &parsed("user:"), any));
    assert!(may_collide(&by_id, integer, &parsed("user:7"), any));
    assert!(may_collide(&by_id, signed, &parsed("user:-7"), any));
    assert!(!may_collide(&by_id, integer, &parsed("user:-7"), any));
    assert!(may_collide(&by_id, integer, &parsed("user:<name>"), any));
}

#[test]
fn suggestions_are_near_or_absent() {
    assert_eq!(suggest("idd", ["org", "id"]), Some("id"));
    assert_eq!(suggest("userid", ["org_id", "user_id"]), Some("user_id"));
    assert_eq!(suggest("tll", ["tags", "ttl", "stale"]), Some("ttl"));
    assert_eq!(suggest("id_user", ["user_id"]), Some("user_id"));
    assert_eq!(suggest("type", ["r#type"]), Some("r#type"));
    assert_eq!(suggest("a", ["b"]), None);
    assert_eq!(suggest("database", ["id", "org"]), None);
    assert_eq!(suggest("id", ["id"]), None);
}

/// A small seeded generator (splitmix64): failures repeat.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).expect("below a usize")
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

/// Random text from the pieces where parsers trip, valid or not.
fn anything(random: &mut Random) -> String {
    const PIECES: &[&str] = &[
        "<", ">", "{", "}", "<<", ">>", "{{", "}}", "id", ".", "0", ":", " ", "r#", "self", "ü",
        "\u{345}", "Ⓐ", "\0", "_", "%", "*", "a:b",
    ];
    let length = random.below(9);
    (0..length).map(|_| random.pick(PIECES)).collect()
}

/// A random valid template.
fn valid(random: &mut Random) -> String {
    const TEXTS: &[&str] = &[":", "a", "-x", "<<", "}}", "ü:", "user:", "%", "{{b"];
    const PATHS: &[&str] = &["<id>", "{id}", "<a.b>", "{pair.0}", "<r#type>", "<self.x.1>", "<_x>"];
    let mut text = String::new();
    for _ in 0..=random.below(4) {
        text.push_str(random.pick(TEXTS));
        if random.below(2) == 0 {
            text.push_str(random.pick(PATHS));
            text.push(':');
        }
    }
    text
}

#[test]
fn no_text_makes_the_parser_panic_and_ranges_lie_inside() {
    let mut random = Random(1);
    for _ in 0..200_000 {
        let text = anything(&mut random);
        match Template::parse(&text) {
            Ok(template) => {
                let mut end = 0;
                for part in &template.parts {
                    let (Part::Text { range, .. } | Part::Placeholder { range, .. }) = part;
                    assert_eq!(range.start, end, "{text:?}");
                    end = range.end;
                }
                assert_eq!(end, text.len(), "{text:?}");
            }
            Err(errors) => {
                assert!(!errors.is_empty());
                for error in errors {
                    assert!(text.get(error.range.clone()).is_some(), "{text:?}: {error:?}");
                    assert!(!error.message.ends_with('.') && error.help.is_some());
                }
            }
        }
    }
}

#[test]
fn parse_and_print_round_trip() {
    let mut random = Random(2);
    for round in 0..100_000 {
        let text = if round % 2 == 0 { valid(&mut random) } else { anything(&mut random) };
        let Ok(template) = Template::parse(&text) else {
            assert_ne!(round % 2, 0, "{text:?} is valid");
            continue;
        };
        let printed = template.to_string();
        let again = parsed(&printed);
        assert_eq!(shape(&again), shape(&template), "{text:?}");
        assert_eq!(again.to_string(), printed);
        assert_eq!(template.source(), text);
    }
}

/// The search against the definition: fill both with every short value and compare the texts.
#[test]
fn collisions_agree_with_trying_all_short_values() {
    const VALUES: &[&str] = &["", "a", "b", "aa", "ab", "ba", "x", "ax", "-", "a-", "%2D"];
    const TEXTS: &[&str] = &["a", "b:", ":", "x", "-"];
    fn build(random: &mut Random) -> String {
        let mut text = String::new();
        for _ in 0..=random.below(2) {
            text.push_str(random.pick(TEXTS));
            if random.below(3) > 0 {
                text.push_str("<v>");
                text.push_str(random.pick(&[":", "x", "-"]));
            }
        }
        text
    }
    fn keys(template: &Template) -> Vec<String> {
        let mut all = vec![String::new()];
        for (index, part) in template.parts.iter().enumerate() {
            let follow = match template.parts.get(index + 1) {
                Some(Part::Text { text, .. }) => text.chars().next(),
                _ => None,
            };
            let values: Vec<&str> = match part {
                Part::Text { text, .. } => vec![text.as_str()],
                Part::Placeholder { .. } => VALUES
                    .iter()
                    .copied()
                    .filter(|value| follow.is_none_or(|follow| !value.contains(follow)))
                    .collect(),
            };
            all = all
                .iter()
                .flat_map(|head| values.iter().map(move |value| format!("{head}{value}")))
                .collect();
        }
        all
    }
    let mut random = Random(3);
    let mut met = 0;
    for _ in 0..12_000 {
        let (a, b) = (parsed(&build(&mut random)), parsed(&build(&mut random)));
        let (left, right) = (keys(&a), keys(&b));
        if left.iter().any(|key| right.contains(key)) {
            met += 1;
            assert!(meet(&a, &b), "{a} and {b}");
        }
    }
    assert!(met > 100, "only {met} pairs met");
}
