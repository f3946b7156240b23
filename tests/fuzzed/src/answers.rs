//! What a Redis server sends: where answers end, what they say, and what a hit finds in them.

use cache_runtime::fuzzing::{redis_hit, redis_stream};

use crate::Target;
use crate::source::Source;

/// Where the stream is cut, as a list of lengths that ends with a zero, and the stream.
pub const TARGET: Target = Target {
    name: "answers",
    body,
    seeds,
    words: &[
        b"\r\n",
        b"$",
        b"$-1\r\n",
        b"$0\r\n\r\n",
        b"*",
        b"*-1\r\n",
        b"*2\r\n",
        b"_\r\n",
        b"+OK\r\n",
        b"-MOVED 1 127.0.0.1:1\r\n",
        b":1\r\n",
        b"=7\r\ntxt:abc\r\n",
        b"!3\r\nERR\r\n",
        b"%1\r\n",
        b"~1\r\n",
        b">2\r\n",
        b"|1\r\n",
        b",1.5\r\n",
        b"#t\r\n",
        b"(1\r\n",
        b"$8\r\n12345678\r\n",
        b"$17\r\nheld1800000000000\r\n",
        b"999999999999999999",
        b"18446744073709551615",
    ],
    runs: 20_000,
    long_runs: 1_000_000,
};

fn seeds() -> Vec<Vec<u8>> {
    let streams = [
        "*3\r\n$4\r\ncell\r\n$8\r\n12345678\r\n$17\r\nheld1800000000000\r\n",
        "$4\r\ncell\r\n$-1\r\n$0\r\n\r\n",
        "*2\r\n$-1\r\n$8\r\n12345678\r\n:1\r\n+OK\r\n",
        "-LOADING Redis is loading the dataset in memory\r\n*2\r\n$1\r\nc\r\n:1\r\n",
        ">2\r\n+invalidate\r\n*1\r\n$5\r\napp:k\r\n$4\r\ncell\r\n",
        "%2\r\n+server\r\n+redis\r\n+proto\r\n:3\r\n~2\r\n#t\r\n#f\r\n",
        "|1\r\n+ttl\r\n:3600\r\n*2\r\n,1.5\r\n(12345678901234567890\r\n=7\r\ntxt:abc\r\n",
        "*1\r\n*1\r\n*1\r\n*0\r\n",
    ];
    let cuts: [&[u8]; 3] = [b"\0", b"\x03\x05\x01\0", b"\x01\x01\x01\x01\x01\x01\x01\x01\0"];
    let all = streams.iter().flat_map(|stream| cuts.map(|cut| [cut, stream.as_bytes()].concat()));
    all.collect()
}

/// Answers are found alike in whatever pieces they come, mean what the client makes of them, and a
/// hit reads from them what the slower way reads.
pub fn body(data: &[u8]) {
    let mut source = Source::new(data);
    let (mut places, mut place) = (Vec::new(), 0);
    loop {
        match source.byte() {
            0 => break,
            length => place += usize::from(length),
        }
        places.push(place);
    }
    let stream = source.rest();
    let whole = redis_stream(stream, []);
    assert_eq!(redis_stream(stream, places), whole, "{}", stream.escape_ascii());
    let mut end = 0;
    for (start, behind, value) in whole.answers {
        assert_eq!(start, end, "an answer begins where the one before it ended");
        end = behind;
        let answer = &stream[start..behind];
        if let Some(value) = value {
            let read = redis::parse_redis_value(answer).map(|value| format!("{value:?}"));
            assert_eq!(read.ok(), Some(value), "{}", answer.escape_ascii());
        }
        for marks in 0..3 {
            let (direct, by_replies) = redis_hit(answer, marks);
            if direct.is_some() {
                assert_eq!(direct, by_replies, "{marks} marks in {}", answer.escape_ascii());
            }
        }
    }
    // What is no whole answer is none for a hit either.
    let rest = &stream[end..];
    for marks in 0..3 {
        assert_eq!(redis_hit(rest, marks).0, None, "{marks} marks in {}", rest.escape_ascii());
    }
}
