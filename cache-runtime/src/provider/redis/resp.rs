//! Bytes as the protocol has them, and the values in them.
//!
//! An answer comes in pieces, together with parts of others. Where it ends is told without reading
//! it and goes on where it stopped ([`Frame`]), so that an answer in many pieces costs no more than
//! in one. What nearly all answers are made of is read here; the `redis` crate reads the rest, and
//! tests compare the two.

use std::ops::Range;

use ::redis::Value;

/// So long may the line be that says what comes: far longer than any, except of a server gone mad.
const LONGEST_LINE: usize = 1024 * 1024;

/// So deep may lists lie in lists.
const DEEPEST: usize = 64;

/// What came in is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Garbled;

/// How far an answer is known that may not have come as a whole.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    /// All before this place is known.
    at: usize,
    /// How many values are still to come.
    missing: usize,
}

impl Default for Frame {
    fn default() -> Self {
        Self { at: 0, missing: 1 }
    }
}

impl Frame {
    /// Where the answer ends; `None` if there is more to come. The bytes begin with the answer, and
    /// with those of earlier calls.
    ///
    /// # Errors
    ///
    /// Where this cannot be an answer.
    pub(super) fn end(&mut self, bytes: &[u8]) -> Result<Option<usize>, Garbled> {
        while self.missing > 0 {
            let rest = bytes.get(self.at..).unwrap_or_default();
            let Some((line, behind)) = line(rest) else {
                return if rest.len() > LONGEST_LINE { Err(Garbled) } else { Ok(None) };
            };
            let (kind, text) = line.split_first().ok_or(Garbled)?;
            let mut end = self.at + behind;
            let inside = match kind {
                b'+' | b'-' | b':' | b'_' | b',' | b'#' | b'(' => 0,
                b'$' | b'=' | b'!' => {
                    if let Some(length) = count(text)? {
                        end = end
                            .checked_add(length)
                            .and_then(|at| at.checked_add(2))
                            .ok_or(Garbled)?;
                        if bytes.len() < end {
                            return Ok(None);
                        }
                        if !bytes[..end].ends_with(b"\r\n") {
                            return Err(Garbled);
                        }
                    }
                    0
                }
                b'*' | b'~' | b'>' => count(text)?.unwrap_or(0),
                b'%' => count(text)?.unwrap_or(0).checked_mul(2).ok_or(Garbled)?,
                // Its value comes behind it.
                b'|' => {
                    let pairs = count(text)?.unwrap_or(0);
                    pairs.checked_mul(2).and_then(|inside| inside.checked_add(1)).ok_or(Garbled)?
                }
                _ => return Err(Garbled),
            };
            self.missing = (self.missing - 1).checked_add(inside).ok_or(Garbled)?;
            self.at = end;
        }
        Ok(Some(self.at))
    }
}

/// The value of a whole answer.
///
/// # Errors
///
/// Where this is no answer.
pub(super) fn value(answer: &[u8]) -> Result<Value, Garbled> {
    let mut rest = answer;
    match usual(&mut rest, 0)? {
        Some(value) if rest.is_empty() => Ok(value),
        Some(_) => Err(Garbled),
        None => ::redis::parse_redis_value(answer).map_err(|_| Garbled),
    }
}

/// The values of so many whole answers.
///
/// # Errors
///
/// Where these are no answers, or another number of them.
pub(super) fn values(mut answers: &[u8], count: usize) -> Result<Vec<Value>, Garbled> {
    if count == 1 {
        return Ok(vec![value(answers)?]);
    }
    let mut values = Vec::with_capacity(count);
    for _ in 0..count {
        let length = Frame::default().end(answers)?.ok_or(Garbled)?;
        let (answer, rest) = answers.split_at(length);
        values.push(value(answer)?);
        answers = rest;
    }
    if answers.is_empty() { Ok(values) } else { Err(Garbled) }
}

/// Reads answers that consist of strings.
pub(super) struct Strings<'a> {
    answer: &'a [u8],
    at: usize,
}

impl<'a> Strings<'a> {
    pub(super) fn new(answer: &'a [u8]) -> Self {
        Self { answer, at: 0 }
    }

    /// How many values the list has that comes next; `None` if what comes next is no list.
    pub(super) fn list(&mut self) -> Option<usize> {
        self.line(b'*').flatten()
    }

    /// Where the string lies that comes next, or that there is nothing in its place; `None` if what
    /// comes next is something else.
    #[allow(clippy::option_option, reason = "a string, no string, or something else")]
    pub(super) fn next(&mut self) -> Option<Option<Range<usize>>> {
        let Some(length) = self.line(b'$')? else { return Some(None) };
        let (start, end) = (self.at, self.at.checked_add(length)?);
        self.at = end.checked_add(2)?;
        (self.answer.get(end..self.at)? == b"\r\n").then_some(Some(start..end))
    }

    /// Whether there is nothing more.
    pub(super) fn is_at_end(&self) -> bool {
        self.at == self.answer.len()
    }

    #[allow(clippy::option_option, reason = "a length, none, or another line")]
    fn line(&mut self, kind: u8) -> Option<Option<usize>> {
        let (line, behind) = line(&self.answer[self.at..])?;
        self.at += behind;
        count(line.strip_prefix(&[kind])?).ok()
    }
}

/// The next value, and what is behind it; `None` where it is of an unusual kind.
fn usual(rest: &mut &[u8], depth: usize) -> Result<Option<Value>, Garbled> {
    if depth > DEEPEST {
        return Err(Garbled);
    }
    let (line, behind) = line(rest).ok_or(Garbled)?;
    *rest = &rest[behind..];
    let (kind, text) = line.split_first().ok_or(Garbled)?;
    Ok(match kind {
        b'$' => match count(text)? {
            None => Some(Value::Nil),
            Some(length) => {
                let bytes = rest.get(..length).ok_or(Garbled)?.to_vec();
                *rest = rest[length..].strip_prefix(b"\r\n").ok_or(Garbled)?;
                Some(Value::BulkString(bytes))
            }
        },
        b'*' => {
            let Some(length) = count(text)? else { return Ok(Some(Value::Nil)) };
            // Each takes three bytes at least, so no more room is taken than there is an answer for.
            let mut values = Vec::with_capacity(length.min(rest.len() / 3));
            for _ in 0..length {
                match usual(rest, depth + 1)? {
                    Some(value) => values.push(value),
                    None => return Ok(None),
                }
            }
            Some(Value::Array(values))
        }
        b'+' if text == b"OK" => Some(Value::Okay),
        b'+' => std::str::from_utf8(text).ok().map(|text| Value::SimpleString(text.to_owned())),
        b':' => std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).map(Value::Int),
        b'_' if text.is_empty() => Some(Value::Nil),
        _ => None,
    })
}

/// The first line without its end, and where the next one begins; `None` if it has no end yet.
fn line(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let mut from = 0;
    loop {
        let at = from + bytes.get(from..)?.iter().position(|byte| *byte == b'\r')?;
        match bytes.get(at + 1)? {
            b'\n' => return Some((&bytes[..at], at + 2)),
            _ => from = at + 1,
        }
    }
}

/// A length; `None` for the one that says that there is nothing.
fn count(text: &[u8]) -> Result<Option<usize>, Garbled> {
    if text == b"-1" {
        return Ok(None);
    }
    if text.is_empty() || text.len() > 18 {
        return Err(Garbled);
    }
    let mut number = 0_usize;
    for byte in text {
        if !byte.is_ascii_digit() {
            return Err(Garbled);
        }
        number = number * 10 + usize::from(byte - b'0');
    }
    Ok(Some(number))
}

/// The line that says how much comes.
pub(super) struct Line {
    bytes: [u8; 23],
    start: usize,
}

impl Line {
    pub(super) fn new(kind: u8, mut number: usize) -> Self {
        let mut bytes = [0; 23];
        let mut start = bytes.len() - 2;
        bytes[start..].copy_from_slice(b"\r\n");
        loop {
            start -= 1;
            bytes[start] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        start -= 1;
        bytes[start] = kind;
        Self { bytes, start }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[self.start..]
    }
}

/// Writes the line that says how much comes.
pub(super) fn push_head(bytes: &mut Vec<u8>, kind: u8, number: usize) {
    bytes.extend_from_slice(Line::new(kind, number).as_bytes());
}

#[cfg(test)]
#[path = "resp_tests.rs"]
mod tests;
