//! URLs of Redis, Sentinel, Cluster and Upstash, and tokens.

use cache_runtime::fuzzing::{RedisUrl, redis_url, rest_token, rest_url};
use cache_runtime::{Error, ErrorKind};

use crate::Target;
use crate::source::{Source, beginning};

/// A byte for what to do, and a URL with a secret somewhere, or the parts of one.
pub const TARGET: Target = Target {
    name: "urls",
    body,
    seeds,
    words: &[
        b"redis://",
        b"rediss://",
        b"valkey+cluster://",
        b"redis+sentinel://",
        b"https://",
        b"http://",
        b":",
        b"@",
        b"/",
        b"?",
        b"#",
        b"&",
        b"%",
        b"%40",
        b"%2F",
        b"%ff",
        b"[::1]",
        b"[",
        b"]",
        b",",
        b"tls=true",
        b"sentinel_username=",
        b"sentinel_password=",
        b"mymaster",
        b":65536",
        b":0",
        b"hunter2",
        b"localhost",
        b"127.0.0.1",
        b"\xe2\x80\xa8",
        b"\t",
        b"\"",
    ],
    runs: 20_000,
    long_runs: 1_000_000,
};

/// What must not be seen in an error.
const SECRET: &str = "hunter2";

const SCHEMES: [(&str, bool, Kind); 12] = [
    ("redis", false, Kind::Standalone),
    ("valkey", false, Kind::Standalone),
    ("rediss", true, Kind::Standalone),
    ("valkeys", true, Kind::Standalone),
    ("redis+sentinel", false, Kind::Sentinel),
    ("valkey+sentinel", false, Kind::Sentinel),
    ("rediss+sentinel", true, Kind::Sentinel),
    ("valkeys+sentinel", true, Kind::Sentinel),
    ("redis+cluster", false, Kind::Cluster),
    ("valkey+cluster", false, Kind::Cluster),
    ("rediss+cluster", true, Kind::Cluster),
    ("valkeys+cluster", true, Kind::Cluster),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Standalone,
    Sentinel,
    Cluster,
}

fn seeds() -> Vec<Vec<u8>> {
    let urls = [
        "redis://localhost",
        "rediss://me:hunter2@host:7000/3",
        "redis://:p@w@host",
        "redis://[::1]:7001/0",
        "redis+sentinel://me:pw@s1,s2:1,[::1]/mymaster/4?sentinel_username=u&sentinel_password=p&tls=1",
        "redis+cluster://h1:7000,h2/0?tls=true",
        "redis://:a/b?c#d@host",
        "https://name.upstash.io",
        "https://user:hunter2@name.io/?_token=hunter2#x",
        "http://127.0.0.1:8079/redis/",
        "http://[::ffff:127.0.0.1]",
        "hunter2",
        "",
    ];
    let mut seeds: Vec<Vec<u8>> =
        urls.iter().map(|url| [&[0, 12], url.as_bytes()].concat()).collect();
    for scheme in 0..SCHEMES.len() as u8 {
        let parts =
            b"\x02me\x09p/w:@%#? \x01x\x02yz\x08mymaster\x02\x04h-1.\x10\x27\x02::\0\0\x03\0\0\0";
        seeds.push([&[1, scheme], &parts[..]].concat());
    }
    seeds
}

/// No text makes a parser panic, no error shows anything of it, and what was put together from parts
/// is taken apart into the same ones.
pub fn body(data: &[u8]) {
    let mut source = Source::new(data);
    if source.byte().is_multiple_of(2) { any_text(&mut source) } else { parts(&mut source) }
}

fn any_text(source: &mut Source<'_>) {
    let at = usize::from(source.byte());
    let mut text = String::from_utf8_lossy(source.rest()).into_owned();
    if !text.contains(SECRET) {
        text.insert_str(beginning(&text, at).len(), SECRET);
    }
    match redis_url(&text) {
        Ok(url) => {
            let hosts = url.hosts.iter().any(|(host, _)| host.contains(SECRET));
            let service = url.service.as_ref().is_some_and(|service| service.contains(SECRET));
            assert!(hosts || service || !url.shown.contains(SECRET), "{text:?}: {}", url.shown);
            assert!(!url.hosts.is_empty());
            assert!(url.hosts.iter().all(|(host, port)| !host.is_empty() && *port > 0), "{url:?}");
        }
        Err(error) => refused(&error, &text, "REDIS_URL"),
    }
    for plain in [false, true] {
        match rest_url(&text, plain) {
            Ok((single, pipeline, is_loopback)) => {
                assert!(single.starts_with("https://") || is_loopback || plain, "{text:?}");
                assert!(!single.contains(['@', '?', '#']), "{text:?}: {single}");
                assert_eq!(pipeline, format!("{single}pipeline"), "{text:?}");
            }
            Err(error) => refused(&error, &text, "REDIS_REST_URL"),
        }
    }
    match rest_token(&text) {
        Ok(shown) => assert!(!shown.contains(SECRET), "{shown}"),
        Err(error) => refused(&error, &text, "REDIS_REST_TOKEN"),
    }
}

fn refused(error: &Error, text: &str, name: &str) {
    assert_eq!(error.kind(), ErrorKind::Config, "{text:?}");
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains(SECRET), "{text:?}: {shown}");
    assert!(shown.contains(&format!("`{name}`")) && shown.len() < 1_000, "{text:?}: {shown}");
}

/// A URL out of parts.
fn parts(source: &mut Source<'_>) {
    let (scheme, tls, kind) = *source.pick(&SCHEMES);
    let login = login(source);
    let sentinel_login = login_of_sentinel(source, kind);
    let service = source.text();
    let service = if service.is_empty() { "mymaster".to_owned() } else { service };
    let many = if kind == Kind::Standalone { 1 } else { 1 + source.byte() % 4 };
    let hosts: Vec<(String, u16)> = (0..many).map(|_| host(source)).collect();
    let database = u32::from_le_bytes(source.array()) & 0x7fff_ffff;
    let database = if kind == Kind::Cluster { 0 } else { database };

    let mut url = format!("{scheme}://");
    if let (username, Some(password)) = &login {
        let username = username.as_deref().unwrap_or_default();
        url.push_str(&format!("{}:{}@", encoded(username), encoded(password)));
    }
    let authority: Vec<String> = hosts.iter().map(written).collect();
    url.push_str(&authority.join(","));
    if kind == Kind::Sentinel {
        url.push_str(&format!("/{}", encoded(&service)));
    }
    url.push_str(&format!("/{database}"));
    if let (username, Some(password)) = &sentinel_login {
        url.push_str(&format!("?sentinel_password={}", encoded(password)));
        if let Some(username) = username {
            url.push_str(&format!("&sentinel_username={}", encoded(username)));
        }
    }
    let read = redis_url(&url).unwrap_or_else(|error| panic!("{url}: {error}"));
    let shown = read.shown.clone();
    let service = (kind == Kind::Sentinel).then_some(service);
    let expected = RedisUrl { shown, login, sentinel_login, hosts, service, database, tls };
    assert_eq!(read, expected, "{url}");
}

/// A user and a password, as a URL can tell them: no user is an empty one.
fn login(source: &mut Source<'_>) -> (Option<String>, Option<String>) {
    let (username, password) = (source.text(), source.text());
    let known = !username.is_empty() || !password.is_empty();
    (Some(username).filter(|username| !username.is_empty()), known.then_some(password))
}

fn login_of_sentinel(source: &mut Source<'_>, kind: Kind) -> (Option<String>, Option<String>) {
    let (username, password) = login(source);
    if kind == Kind::Sentinel { (username, password) } else { (None, None) }
}

/// A name, an IPv4 address or an IPv6 address, and a port.
fn host(source: &mut Source<'_>) -> (String, u16) {
    let text = source.text();
    let port = u16::from_le_bytes(source.array()).max(1);
    if text.starts_with(':') {
        return (std::net::Ipv6Addr::from(source.array::<16>()).to_string(), port);
    }
    let is_plain = |letter: &char| letter.is_ascii_alphanumeric() || "-._".contains(*letter);
    let name: String = text.chars().filter(is_plain).collect();
    (if name.is_empty() { "localhost".to_owned() } else { name }, port)
}

fn written((host, port): &(String, u16)) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// The text with all but letters and digits percent-encoded.
fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}
