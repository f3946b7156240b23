//! Can two templates produce one key?
//!
//! A template is a regular language: its literal characters, and for each placeholder any number
//! of characters that a value's text may hold. Two templates collide where the languages meet. The
//! languages are drawn slightly too wide, so that a `false` is a proof and a `true` nearly one.

use super::{Part, Template};

/// What is known about the text of a placeholder's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ValueText {
    /// Any escaped text, the empty one included.
    Any,
    /// Decimal digits, with a `-` before them where the type is signed.
    Integer {
        /// May a `-` stand before the digits.
        signed: bool,
    },
}

/// Can the two produce one key? `a_text` and `b_text` say what the placeholder of that position holds.
pub(crate) fn may_collide(
    a: &Template,
    a_text: impl Fn(usize) -> ValueText,
    b: &Template,
    b_text: impl Fn(usize) -> ValueText,
) -> bool {
    let (a, b) = (elements(a, a_text), elements(b, b_text));
    let mut seen = vec![false; (a.len() + 1) * (b.len() + 1)];
    let mut open = vec![(0, 0)];
    while let Some((i, j)) = open.pop() {
        if i == a.len() && j == b.len() {
            return true;
        }
        let index = i * (b.len() + 1) + j;
        if std::mem::replace(&mut seen[index], true) {
            continue;
        }
        let (left, right) = (a.get(i), b.get(j));
        // Past a run of characters, which may be empty.
        if matches!(left, Some(Element::Run(_))) {
            open.push((i + 1, j));
        }
        if matches!(right, Some(Element::Run(_))) {
            open.push((i, j + 1));
        }
        let (Some(left), Some(right)) = (left, right) else {
            continue;
        };
        match (left, right) {
            (Element::Run(_), Element::Run(_)) => {}
            (Element::Run(run), one) if run.meets(one) => open.push((i, j + 1)),
            (one, Element::Run(run)) if run.meets(one) => open.push((i + 1, j)),
            (Element::One(left), Element::One(right)) if left.overlaps(right) => {
                open.push((i + 1, j + 1))
            }
            _ => {}
        }
    }
    false
}

/// A language is a row of these.
#[derive(Clone, Debug)]
enum Element {
    /// Exactly one character of the class.
    One(Class),
    /// Any number of characters of the class.
    Run(Class),
}

#[derive(Clone, Debug)]
enum Class {
    Exactly(char),
    Digit,
    /// What an escaped value may hold where `follow` stands behind the placeholder.
    Value {
        follow: Option<char>,
    },
}

impl Class {
    fn meets(&self, other: &Element) -> bool {
        match other {
            Element::One(class) | Element::Run(class) => self.overlaps(class),
        }
    }

    fn overlaps(&self, other: &Class) -> bool {
        match (self, other) {
            (Class::Exactly(one), class) | (class, Class::Exactly(one)) => class.holds(*one),
            // Any two of the others share a digit, unless `follow` is one, and then an escape's.
            _ => true,
        }
    }

    fn holds(&self, wanted: char) -> bool {
        match self {
            Class::Exactly(one) => *one == wanted,
            Class::Digit => wanted.is_ascii_digit(),
            Class::Value { follow } => {
                !is_always_escaped(wanted)
                    && (*follow != Some(wanted) || is_written_by_escapes(wanted))
            }
        }
    }
}

/// Characters that no value holds. `%` is escaped too, and every escape begins with it.
fn is_always_escaped(wanted: char) -> bool {
    matches!(wanted, ':' | '*' | '?' | '[' | ']' | '\\' | '{' | '}') || wanted.is_control()
}

/// Characters that stand in `%2A`, in `%none` and around compound parts, whatever follows.
fn is_written_by_escapes(wanted: char) -> bool {
    matches!(wanted, '0'..='9' | 'A'..='F' | '%' | 'n' | 'o' | 'e' | '(' | ',' | ')')
}

fn elements(template: &Template, value_text: impl Fn(usize) -> ValueText) -> Vec<Element> {
    let mut all = Vec::new();
    let mut position = 0;
    for (index, part) in template.parts.iter().enumerate() {
        match part {
            Part::Text { text, .. } => {
                all.extend(text.chars().map(|each| Element::One(Class::Exactly(each))))
            }
            Part::Placeholder { .. } => {
                let follow = match template.parts.get(index + 1) {
                    Some(Part::Text { text, .. }) => text.chars().next(),
                    _ => None,
                };
                push_value(&mut all, value_text(position), follow);
                position += 1;
            }
        }
    }
    all
}

fn push_value(all: &mut Vec<Element>, text: ValueText, follow: Option<char>) {
    // A digit, letter or `-` that follows is escaped: back to the general case.
    let plain = follow.is_none_or(|follow| !follow.is_ascii_alphanumeric() && follow != '-');
    match text {
        ValueText::Integer { signed: false } if plain => {
            all.extend([Element::One(Class::Digit), Element::Run(Class::Digit)]);
        }
        // `-` or a digit, and then digits: drawn as at least one character of a value.
        ValueText::Integer { signed: true } if plain => {
            all.extend([
                Element::Run(Class::Exactly('-')),
                Element::One(Class::Digit),
                Element::Run(Class::Digit),
            ]);
        }
        _ => all.push(Element::Run(Class::Value { follow })),
    }
}
