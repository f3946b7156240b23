//! The answer to a hit's question: read where it lies, with no value made for each of its parts.

use std::ops::Range;

use super::resp::Strings;
use crate::provider::commands::{Form, string_mark};
use crate::provider::{CellBytes, Incarnation, MarkState, Observed};

/// The cell and so many marks that a server of this life answered with.
///
/// # Errors
///
/// The answer itself, where it is anything but the strings that were asked for: a refusal, say.
pub(super) fn observed(
    answer: Vec<u8>,
    marks: usize,
    incarnation: Incarnation,
) -> Result<Observed, Vec<u8>> {
    let Some((place, marks)) = strings(&answer, marks, incarnation) else { return Err(answer) };
    // An empty string is no cell.
    let place = place.filter(|place| !place.is_empty());
    let cell = place.map(|place| CellBytes::part(answer, place));
    Ok(Observed { cell, incarnation, marks })
}

/// Where the cell lies, and the states of the marks.
fn strings(
    answer: &[u8],
    marks: usize,
    incarnation: Incarnation,
) -> Option<(Option<Range<usize>>, Vec<MarkState>)> {
    let mut strings = Strings::new(answer);
    // A cell alone is asked for with `GET`, which answers with no list.
    if marks > 0 && strings.list()? != 1 + marks {
        return None;
    }
    let cell = strings.next()?;
    let mut states = Vec::with_capacity(marks);
    for _ in 0..marks {
        let stored = strings.next()?.map(|place| &answer[place]);
        states.push(string_mark(Form::Raw, stored, incarnation));
    }
    strings.is_at_end().then_some((cell, states))
}

#[cfg(test)]
mod tests {
    use super::observed;
    use crate::provider::{Incarnation, MarkState, Stamp};

    const LIFE: Incarnation = Incarnation::new(7);

    fn read(answer: &str, marks: usize) -> Option<(Option<String>, Vec<MarkState>)> {
        let observed = observed(answer.as_bytes().to_vec(), marks, LIFE);
        let text = |cell: &[u8]| String::from_utf8(cell.to_vec()).expect("plain text");
        match observed {
            Ok(observed) => Some((observed.cell.as_deref().map(text), observed.marks)),
            Err(back) => {
                assert_eq!(back, answer.as_bytes(), "it was not given back as it came");
                None
            }
        }
    }

    #[test]
    fn a_cell_and_its_marks_are_read_where_they_lie() {
        let live = MarkState::Live(Stamp::new(*b"12345678", LIFE));
        for (answer, marks, expected) in [
            ("$4\r\ncell\r\n", 0, (Some("cell"), vec![])),
            ("$-1\r\n", 0, (None, vec![])),
            ("$0\r\n\r\n", 0, (None, vec![])),
            ("*2\r\n$4\r\n\r\n\r\n\r\n$8\r\n12345678\r\n", 1, (Some("\r\n\r\n"), vec![live])),
            ("*2\r\n$-1\r\n$17\r\nheld1800000000000\r\n", 1, (None, vec![MarkState::Held])),
            (
                "*4\r\n$1\r\nc\r\n$-1\r\n$7\r\n1234567\r\n$8\r\n12345678\r\n",
                3,
                (Some("c"), vec![MarkState::Absent, MarkState::Absent, live]),
            ),
        ] {
            let (cell, states) = expected;
            assert_eq!(read(answer, marks), Some((cell.map(str::to_owned), states)), "{answer:?}");
        }
    }

    #[test]
    fn whatever_else_is_given_back() {
        for (answer, marks) in [
            ("-LOADING Redis is loading the dataset in memory\r\n", 0),
            ("-MOVED 3999 127.0.0.1:6381\r\n", 1),
            ("+OK\r\n", 0),
            (":1\r\n", 0),
            ("_\r\n", 0),
            ("*-1\r\n", 1),
            ("*1\r\n$1\r\nc\r\n", 1),
            ("*3\r\n$1\r\nc\r\n$-1\r\n$-1\r\n", 1),
            ("*2\r\n$1\r\nc\r\n:1\r\n", 1),
            ("*2\r\n$1\r\nc\r\n*0\r\n", 1),
            ("$1\r\nc\r\n", 1),
            ("*1\r\n$1\r\nc\r\n", 0),
            ("$1\r\nc\r\n$1\r\nc\r\n", 0),
            ("$2\r\nc\r\n", 0),
            ("$1\r\nccc", 0),
            ("$x\r\n", 0),
            ("", 0),
            ("$18446744073709551615\r\n", 0),
        ] {
            assert_eq!(read(answer, marks), None, "{answer:?}");
        }
    }
}
