//! Times as text: `"30m"`, `"1h30m"`, `"500ms"`.

use std::ops::Range;
use std::time::Duration;

/// What is wrong with a time, and where in the text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TimeError {
    pub(crate) message: String,
    pub(crate) range: Range<usize>,
}

/// How to write a time; ends the messages about one.
pub(crate) const TIME_HELP: &str = "write seconds (`1800`) or a number with a unit: `ms`, `s`, `m`, `h`, `d`, `w` (`\"30m\"`, `\"1h30m\"`)";

/// Units and their milliseconds, the largest first as they must come in a text.
const UNITS: [(&str, u64); 6] = [
    ("w", 7 * 24 * 3_600_000),
    ("d", 24 * 3_600_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Reads one or more numbers with units. Zero is read too; whether it may be is not asked here.
pub(crate) fn parse_time(text: &str) -> Result<Duration, TimeError> {
    let mut rest = 0;
    let mut total: u64 = 0;
    let mut largest = u64::MAX;
    if text.trim().is_empty() {
        return Err(error("the time is empty", 0..text.len()));
    }
    while rest < text.len() {
        let start = rest + blank(&text[rest..]);
        if start == text.len() {
            break;
        }
        let (millis, unit, end) = parse_part(text, start)?;
        if unit >= largest {
            return Err(error("units go from the largest to the smallest, each once", start..end));
        }
        largest = unit;
        total = total
            .checked_add(millis)
            .ok_or_else(|| error("the time is too long", 0..text.len()))?;
        rest = end;
    }
    Ok(Duration::from_millis(total))
}

/// One number with its unit: milliseconds, the unit's size, and where it ends.
fn parse_part(text: &str, start: usize) -> Result<(u64, u64, usize), TimeError> {
    let part = &text[start..];
    if part.starts_with('-') {
        return Err(error("the time is negative", start..text.len()));
    }
    let digits = part.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 {
        return Err(error("expected a number", start..text.len()));
    }
    let after = start + digits + blank(&part[digits..]);
    let letters = text[after..].chars().take_while(|each| each.is_alphabetic());
    let end = after + letters.map(char::len_utf8).sum::<usize>();
    let name = &text[after..end];
    let Some((_, unit)) = UNITS.iter().find(|(known, _)| *known == name) else {
        let message = match (name, text[after..].chars().next()) {
            ("", Some('.' | ',')) => "a fraction has no place here: take a smaller unit".to_owned(),
            ("", _) => "the number has no unit".to_owned(),
            _ => format!("unknown unit `{name}`"),
        };
        return Err(error(&message, if name.is_empty() { start..text.len() } else { after..end }));
    };
    part[..digits]
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(*unit))
        .map(|millis| (millis, *unit, end))
        .ok_or_else(|| error("the time is too long", start..end))
}

fn blank(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

fn error(message: &str, range: Range<usize>) -> TimeError {
    TimeError { message: message.to_owned(), range }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> u64 {
        parse_time(text).expect("a time").as_secs()
    }

    #[test]
    fn units_are_read() {
        assert_eq!(seconds("30s"), 30);
        assert_eq!(seconds("30m"), 1_800);
        assert_eq!(seconds("2h"), 7_200);
        assert_eq!(seconds("1d"), 86_400);
        assert_eq!(seconds("1w"), 604_800);
        assert_eq!(parse_time("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse_time("0s"), Ok(Duration::ZERO));
    }

    #[test]
    fn compound_times_are_read() {
        assert_eq!(seconds("1h30m"), 5_400);
        assert_eq!(seconds("1h 30m"), 5_400);
        assert_eq!(seconds(" 10 s "), 10);
        assert_eq!(parse_time("1s500ms"), Ok(Duration::from_millis(1_500)));
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        let cases = [
            ("", "the time is empty", 0..0),
            ("30", "the number has no unit", 0..2),
            ("1.5h", "a fraction has no place here: take a smaller unit", 0..4),
            ("-5s", "the time is negative", 0..3),
            ("5 minutes", "unknown unit `minutes`", 2..9),
            ("h", "expected a number", 0..1),
            ("30m1h", "units go from the largest to the smallest, each once", 3..5),
            ("1h1h", "units go from the largest to the smallest, each once", 2..4),
            ("99999999999999999999s", "the time is too long", 0..21),
        ];
        for (text, message, range) in cases {
            assert_eq!(parse_time(text), Err(error(message, range)), "{text:?}");
        }
    }

    #[test]
    fn any_text_is_read_or_refused() {
        for text in ["é", "5é", "\u{2003}5\u{2003}s", "٣s", "5s\0", "🕐", "5\u{301}s"] {
            let _ = parse_time(text);
        }
    }
}
