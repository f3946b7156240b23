//! The grammar of templates.

use crate::Target;
use crate::source::beginning;
use crate::template::{Part, Template, ValueText, may_collide, suggest};

/// One template or two, with a line break between.
pub const TARGET: Target = Target {
    name: "templates",
    body,
    seeds,
    words: &[
        b"<",
        b">",
        b"{",
        b"}",
        b"<<",
        b">>",
        b"{{",
        b"}}",
        b"<id>",
        b"{id}",
        b"<a.b>",
        b"<p.0>",
        b"r#",
        b"self",
        b".",
        b":",
        b"0",
        b"01",
        b"_",
        b"\n",
        b" ",
        b"%",
        b"4294967296",
        "ü".as_bytes(),
        "\u{345}".as_bytes(),
        "Ⓐ".as_bytes(),
        b"\0",
    ],
    runs: 20_000,
    long_runs: 1_500_000,
};

/// The longest template: what two of them have in common is looked for place by place.
const LONGEST: usize = 200;

fn seeds() -> Vec<Vec<u8>> {
    let texts = [
        "user:<id>\nuser:{key}",
        "user:<id>\nuser:<id>:organizations",
        "org:<org.id>:user:{user.0}\norg:<a>:<b>",
        "<<<id>>>:{{x}}",
        "<r#type>:<ключ>:<self.id>-<_x>",
        "a:<id:<x>\nb>}",
        "{id:?}< id ><0><a..b><_><a.01><f(x)>",
        "u:<a>-\nu:b--",
        "",
    ];
    texts.map(|text| text.as_bytes().to_vec()).to_vec()
}

/// The parser never panics, says where each mistake lies, and what it accepts is printed so that it
/// means the same; whether two templates meet does not depend on their order.
pub fn body(data: &[u8]) {
    let data = String::from_utf8_lossy(data);
    let (first, second) = data.split_once('\n').unwrap_or((&data, "user:<id>"));
    let first = checked(beginning(first, LONGEST));
    let second = checked(beginning(second, LONGEST));
    let (Some(first), Some(second)) = (first, second) else { return };
    for text in
        [ValueText::Any, ValueText::Integer { signed: false }, ValueText::Integer { signed: true }]
    {
        let meets = |a, b| may_collide(a, |_| text, b, |_| text);
        assert!(meets(&first, &first), "`{first}` meets itself");
        assert_eq!(meets(&first, &second), meets(&second, &first), "`{first}` and `{second}`");
        // What holds integers holds less than what holds anything.
        let widened = may_collide(&first, |_| ValueText::Any, &second, |_| ValueText::Any);
        assert!(widened || !meets(&first, &second), "`{first}` and `{second}`");
    }
    let names: Vec<&str> =
        second.placeholders().flat_map(|(path, _)| path).map(|segment| segment.plain()).collect();
    for segment in first.placeholders().flat_map(|(path, _)| path) {
        let near = suggest(segment.plain(), names.iter().copied());
        assert!(near.is_none_or(|near| names.contains(&near) && near != segment.plain()));
    }
}

/// The template, if it is one, with all that has to hold for it.
fn checked(text: &str) -> Option<Template> {
    let template = match Template::parse(text) {
        Ok(template) => template,
        Err(errors) => {
            assert!(!errors.is_empty());
            for error in errors {
                assert!(text.get(error.range.clone()).is_some(), "{text:?}: {error:?}");
                assert!(!error.message.is_empty() && error.help.is_some(), "{text:?}: {error:?}");
            }
            return None;
        }
    };
    let mut end = 0;
    for part in &template.parts {
        let (Part::Text { range, .. } | Part::Placeholder { range, .. }) = part;
        assert_eq!(range.start, end, "{text:?}");
        end = range.end;
    }
    assert_eq!((end, template.source()), (text.len(), text));
    for (path, range) in template.placeholders() {
        assert!(!path.is_empty() && text.get(range.clone()).is_some(), "{text:?}");
        assert!(path.iter().all(|segment| text[segment.range.clone()] == segment.name));
    }
    let printed = template.to_string();
    let again = Template::parse(&printed).expect("what was printed is a template");
    assert_eq!(shape(&again), shape(&template), "{text:?}");
    assert_eq!((again.to_string(), again.family()), (printed, template.family()), "{text:?}");
    Some(template)
}

/// Texts, and names of placeholders, without the places.
fn shape(template: &Template) -> Vec<(bool, String)> {
    let part = |part: &Part| match part {
        Part::Text { text, .. } => (false, text.clone()),
        Part::Placeholder { path, .. } => {
            let names: Vec<&str> = path.iter().map(|segment| segment.name.as_str()).collect();
            (true, names.join("."))
        }
    };
    template.parts.iter().map(part).collect()
}
