//! As much of the protocol as a proxy needs: where a command or a reply ends, and what it names.

use std::ops::Range;

/// How long the first command or reply in these bytes is; `None` while its end is missing.
pub(super) fn frame_length(bytes: &[u8]) -> Option<usize> {
    let (mut at, mut left) = (0, 1_usize);
    while left > 0 {
        left -= 1;
        let line = line_at(bytes, at)?;
        let count = number(&bytes[line.clone()]);
        let end = line.end + 2;
        at = match bytes[at] {
            b'$' | b'=' | b'!' => end + count.map_or(0, |length| length + 2),
            b'*' | b'~' | b'>' => {
                left += count.unwrap_or(0);
                end
            }
            b'%' => {
                left += 2 * count.unwrap_or(0);
                end
            }
            b'|' => {
                left += 2 * count.unwrap_or(0) + 1;
                end
            }
            _ => end,
        };
        if at > bytes.len() {
            return None;
        }
    }
    Some(at)
}

/// Whether a reply answers a command; pushes come by themselves.
pub(super) fn is_answer(reply: &[u8]) -> bool {
    reply.first() != Some(&b'>')
}

/// The first words of a command: its name, and what may be a subcommand.
pub(super) fn name_of(command: &[u8]) -> String {
    let word = bulks(command).into_iter().next();
    let name = word.map_or_else(
        || command.split(|byte| byte.is_ascii_whitespace()).next().unwrap_or_default(),
        |range| &command[range],
    );
    String::from_utf8_lossy(name).to_lowercase()
}

/// The longest string of bytes in a frame.
pub(super) fn longest_bulk(frame: &[u8]) -> Option<Range<usize>> {
    bulks(frame).into_iter().filter(|range| !range.is_empty()).max_by_key(ExactSizeIterator::len)
}

/// Where the strings of bytes in a whole frame lie.
fn bulks(frame: &[u8]) -> Vec<Range<usize>> {
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(line) = line_at(frame, at) {
        let length = number(&frame[line.clone()]).filter(|_| frame[at] == b'$');
        at = line.end + 2;
        if let Some(length) = length {
            found.push(at..at + length);
            at += length + 2;
        }
    }
    found
}

/// The line that begins at `at`, without its first byte and its end.
fn line_at(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let length = bytes.get(at..)?.windows(2).position(|pair| pair == b"\r\n")?;
    Some((at + 1).min(at + length)..at + length)
}

/// A length; `None` for `-1`, and for what is no number.
fn number(line: &[u8]) -> Option<usize> {
    std::str::from_utf8(line).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{frame_length, is_answer, longest_bulk, name_of};

    const FRAMES: [&[u8]; 12] = [
        b"+OK\r\n",
        b"-ERR no\r\n",
        b":12\r\n",
        b"$-1\r\n",
        b"$0\r\n\r\n",
        b"$4\r\na\r\nb\r\n",
        b"*-1\r\n",
        b"*0\r\n",
        b"*3\r\n$1\r\na\r\n*1\r\n:1\r\n$-1\r\n",
        b"%1\r\n+a\r\n#t\r\n",
        b"|1\r\n+a\r\n:1\r\n+OK\r\n",
        b"_\r\n",
    ];

    #[test]
    fn a_frame_ends_where_it_ends_and_not_before() {
        for frame in FRAMES {
            let followed = [frame, b"+next\r\n"].concat();
            assert_eq!(frame_length(&followed), Some(frame.len()), "{frame:?}");
            for cut in 0..frame.len() {
                assert_eq!(frame_length(&frame[..cut]), None, "{frame:?} cut at {cut}");
            }
        }
    }

    #[test]
    fn commands_have_names_in_both_forms() {
        assert_eq!(name_of(b"*2\r\n$4\r\nMGET\r\n$1\r\na\r\n"), "mget");
        assert_eq!(name_of(b"PING\r\n"), "ping");
        assert_eq!(name_of(b"get a\r\n"), "get");
    }

    #[test]
    fn the_longest_string_is_found_and_pushes_are_no_answers() {
        let frame = b"*3\r\n$1\r\na\r\n$5\r\nhello\r\n$-1\r\n";
        assert_eq!(&frame[longest_bulk(frame).unwrap()], b"hello");
        assert_eq!(longest_bulk(b"+OK\r\n"), None);
        assert!(is_answer(frame) && !is_answer(b">1\r\n+a\r\n"));
    }
}
