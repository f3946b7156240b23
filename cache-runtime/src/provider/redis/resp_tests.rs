use super::{Frame, Garbled, push_head, value};
use ::redis::{Value, parse_redis_value};

/// An answer of random kinds, as a server would write it.
fn random_answer(random: &mut fastrand::Rng, depth: usize, bytes: &mut Vec<u8>) {
    let text = |random: &mut fastrand::Rng| -> String {
        let length = random.usize(..12);
        (0..length).map(|_| random.alphanumeric()).collect()
    };
    let kinds = if depth < 4 { 15 } else { 11 };
    match random.u32(..kinds) {
        0 => bytes.extend_from_slice(b"$-1\r\n"),
        1 => bytes.extend_from_slice(b"*-1\r\n"),
        2 => bytes.extend_from_slice(b"_\r\n"),
        3 => bytes.extend_from_slice(b"+OK\r\n"),
        4 => bytes.extend_from_slice(format!("+{}\r\n", text(random)).as_bytes()),
        5 => bytes.extend_from_slice(format!("-ERR {}\r\n", text(random)).as_bytes()),
        6 => bytes.extend_from_slice(format!(":{}\r\n", random.i64(..)).as_bytes()),
        7 => bytes.extend_from_slice(format!(",{}\r\n", random.i32(..)).as_bytes()),
        8 => bytes.extend_from_slice(if random.bool() { b"#t\r\n" } else { b"#f\r\n" }),
        9 => {
            let text = format!("txt:{}", text(random));
            push_head(bytes, b'=', text.len());
            bytes.extend_from_slice(format!("{text}\r\n").as_bytes());
        }
        10 => {
            let held: Vec<u8> = (0..random.usize(..40)).map(|_| random.u8(..)).collect();
            push_head(bytes, b'$', held.len());
            bytes.extend_from_slice(&held);
            bytes.extend_from_slice(b"\r\n");
        }
        kind => {
            let length = random.usize(..4);
            let (sign, inside) = match kind {
                11 | 12 => (b'*', length),
                13 => (b'~', length),
                _ => (b'%', 2 * length),
            };
            push_head(bytes, sign, length);
            for _ in 0..inside {
                random_answer(random, depth + 1, bytes);
            }
        }
    }
}

#[test]
fn answers_are_read_as_the_client_reads_them_in_whatever_pieces_they_come() {
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..3_000 {
        let mut stream = Vec::new();
        let mut ends = Vec::new();
        for _ in 0..random.usize(1..5) {
            random_answer(&mut random, 0, &mut stream);
            ends.push(stream.len());
        }
        let (mut start, mut arrived, mut frame, mut found) = (0, 0, Frame::default(), Vec::new());
        while found.len() < ends.len() {
            match frame.end(&stream[start..arrived]).expect("a sound answer") {
                None => arrived = (arrived + random.usize(1..9)).min(stream.len()),
                Some(length) => {
                    let answer = &stream[start..start + length];
                    assert_eq!(value(answer).ok(), parse_redis_value(answer).ok());
                    start += length;
                    found.push(start);
                    frame = Frame::default();
                }
            }
        }
        assert_eq!(found, ends);
    }
}

#[test]
fn what_is_not_an_answer_is_told_and_never_read_as_another_one() {
    let mut random = fastrand::Rng::with_seed(11);
    let mut garbled = 0;
    for _ in 0..20_000 {
        let mut bytes = Vec::new();
        random_answer(&mut random, 0, &mut bytes);
        let at = random.usize(..bytes.len());
        bytes[at] = random.u8(..);
        match Frame::default().end(&bytes) {
            Ok(Some(length)) => {
                if let Ok(read) = value(&bytes[..length]) {
                    assert_eq!(Ok(read), parse_redis_value(&bytes[..length]), "{bytes:?}");
                }
            }
            Ok(None) => {}
            Err(Garbled) => garbled += 1,
        }
    }
    assert!(garbled > 1_000, "{garbled}");
}

#[test]
fn lengths_that_nobody_means_end_nothing_but_the_connection() {
    for garbled in [
        "$-2\r\n",
        "*+1\r\n",
        "$1x\r\n",
        "$\r\n",
        "\r\n",
        "?1\r\n",
        "$999999999999999999999\r\n",
        "$1\r\nxy\r\n",
        "%999999999999999999\r\n*999999999999999999\r\n%18446744073709551615\r\n",
    ] {
        assert_eq!(Frame::default().end(garbled.as_bytes()), Err(Garbled), "{garbled}");
    }
    // A long list is waited for, and no room is taken for it before.
    assert_eq!(Frame::default().end(b"*999999999999999999\r\n:1\r\n"), Ok(None));
    assert_eq!(value(b"*999999999999999999\r\n:1\r\n"), Err(Garbled));
    let deep = "*1\r\n".repeat(100_000) + ":1\r\n";
    assert_eq!(Frame::default().end(deep.as_bytes()), Ok(Some(deep.len())));
    assert_eq!(value(deep.as_bytes()), Err(Garbled));
    let line = vec![b'+'; super::LONGEST_LINE + 2];
    assert_eq!(Frame::default().end(&line), Err(Garbled));
}

#[test]
fn an_answer_that_comes_bit_by_bit_is_looked_at_once() {
    let mut answer = b"*20000\r\n".to_vec();
    answer.extend_from_slice(&b"$3\r\nabc\r\n".repeat(20_000));
    let mut frame = Frame::default();
    let mut places = Vec::new();
    for arrived in (0..answer.len()).step_by(1_000) {
        assert_eq!(frame.end(&answer[..arrived]), Ok(None));
        places.push(frame.at);
    }
    // It goes on where it stopped, close behind what has come.
    assert!(places.iter().enumerate().all(|(turn, at)| turn * 1_000 - at < 10), "{places:?}");
    assert_eq!(frame.end(&answer), Ok(Some(answer.len())));
    let Ok(Value::Array(values)) = value(&answer) else { panic!("not a list") };
    assert_eq!(values.len(), 20_000);
}
