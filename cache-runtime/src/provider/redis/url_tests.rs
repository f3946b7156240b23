//! Every form of URL, every mistake, and passwords that must not show up anywhere.

use super::url::{Address, Login, Target, Topology};
use crate::{ErrorKind, Secret};

fn address(host: &str, port: u16) -> Address {
    Address { host: host.to_owned(), port }
}

fn login(username: Option<&str>, password: &str) -> Login {
    Login { username: username.map(Secret::new), password: Some(Secret::new(password)) }
}

fn standalone(host: &str, port: u16) -> Target {
    let topology = Topology::Standalone(address(host, port));
    Target { topology, login: Login::default(), database: 0, tls: false }
}

#[test]
fn one_server() {
    let cases = [
        ("redis://localhost", standalone("localhost", 6_379)),
        (" redis://127.0.0.1:7000/\n", standalone("127.0.0.1", 7_000)),
        ("REDIS://host/3", Target { database: 3, ..standalone("host", 6_379) }),
        ("redis://[::1]:7001/0", standalone("::1", 7_001)),
        ("rediss://host", Target { tls: true, ..standalone("host", 6_379) }),
        ("valkeys://host:1", Target { tls: true, ..standalone("host", 1) }),
        ("redis://:pw@host", Target { login: login(None, "pw"), ..standalone("host", 6_379) }),
        ("redis://:p@w@host", Target { login: login(None, "p@w"), ..standalone("host", 6_379) }),
        (
            "redis://me:p%2Fw%3a@host:1/2",
            Target { login: login(Some("me"), "p/w:"), database: 2, ..standalone("host", 1) },
        ),
        ("redis://me:@host", Target { login: login(Some("me"), ""), ..standalone("host", 6_379) }),
        ("redis://:@host", standalone("host", 6_379)),
    ];
    for (url, target) in cases {
        assert_eq!(Target::parse(url).unwrap(), target, "{url}");
    }
}

#[test]
fn sentinel_and_cluster() {
    let target = Target::parse(
        "redis+sentinel://me:pw@s1,s2:1,[::1]/mymaster/4?sentinel_username=su&sentinel_password=s%26p&tls=true",
    )
    .unwrap();
    let sentinels = vec![address("s1", 26_379), address("s2", 1), address("::1", 26_379)];
    let service = "mymaster".to_owned();
    let topology = Topology::Sentinel { sentinels, service, login: login(Some("su"), "s&p") };
    let expected = Target { topology, login: login(Some("me"), "pw"), database: 4, tls: true };
    assert_eq!(target, expected);

    let seeds = vec![address("h1", 7_000), address("h2", 6_379)];
    let topology = Topology::Cluster { seeds };
    let expected = Target { topology, login: Login::default(), database: 0, tls: false };
    assert_eq!(Target::parse("redis+cluster://h1:7000,h2").unwrap(), expected);
    let secured = Target { tls: true, ..expected };
    assert_eq!(Target::parse("redis+cluster://h1:7000,h2/0?tls=true").unwrap(), secured);
    assert_eq!(Target::parse("rediss+cluster://h1:7000,h2/").unwrap(), secured);
}

#[test]
fn what_is_wrong_is_said() {
    let cases = [
        ("", "begins with none of `redis://`"),
        ("http://host", "begins with none of `redis://`"),
        ("localhost:6379", "begins with none of `redis://`"),
        ("redis://", "names no host"),
        ("redis://:6379", "names no host"),
        ("redis://host:0", "port"),
        ("redis://host:65536", "port"),
        ("redis://host:abc", "port"),
        ("redis://ho st", "neither a name nor an address"),
        ("redis://[zz]", "IPv6"),
        ("redis://[::1]x", "neither a name nor an address"),
        ("redis://host/abc", "database number"),
        ("redis://host/-1", "database number"),
        ("redis://host/4294967295", "database number"),
        ("redis://a,b", "several hosts"),
        ("redis://pw@host", "no password"),
        ("redis://:%zz@host", "hexadecimal"),
        ("redis://:%ff@host", "UTF-8"),
        ("redis://:p/w@host", "percent-encoded"),
        ("redis://host#insecure", "fragment"),
        ("redis://host?timeout=1", "there is none"),
        ("redis://host?tls=true", "`rediss://`"),
        ("redis+sentinel://host", "names no service"),
        ("redis+sentinel://host/", "names no service"),
        ("redis+sentinel://host/m?x=1", "`sentinel_username`"),
        ("redis+sentinel://host/m?tls=maybe", "`tls`"),
        ("redis+sentinel://host/m?sentinel_username=x", "no `sentinel_password`"),
        ("redis+cluster://host/1", "database 0"),
        ("redis+cluster://host?x", "there is `tls`"),
        ("redis+cluster://host?tls=1&tls=1", "twice"),
    ];
    for (url, said) in cases {
        let error = Target::parse(url).expect_err(url);
        assert_eq!(error.kind(), ErrorKind::Config, "{url}");
        assert!(error.to_string().contains(said), "`{url}` gives `{error}`");
    }
}

/// Passwords of any characters, encoded or not, whole URLs cut and spliced at random: nothing
/// panics, what is encoded comes back, and neither errors nor `Debug` show it.
#[test]
fn no_input_panics_and_no_password_shows() {
    const SECRET: &str = "hUnTeR2qq";
    let pieces = [
        "redis",
        "rediss",
        "redis+sentinel",
        "redis+cluster",
        "://",
        ":",
        "@",
        "/",
        "?",
        "#",
        "%",
        "%4",
        "%41",
        "host",
        "localhost",
        ",",
        "[::1]",
        "]",
        "[",
        "6379",
        "tls=true",
        "&",
        "=",
        "sentinel_password=",
        "mymaster",
        "é",
        "\u{0}",
        " ",
        SECRET,
    ];
    let mut random = fastrand::Rng::with_seed(0x5eed);
    for _ in 0..200_000 {
        let mut url = String::new();
        if random.bool() {
            url.push_str("redis://:");
        }
        for _ in 0..random.usize(..9) {
            url.push_str(pieces[random.usize(..pieces.len())]);
        }
        match Target::parse(&url) {
            Err(error) => assert!(!format!("{error} {error:?}").contains(SECRET), "{url}"),
            // What was understood as a host or a service is no password.
            Ok(target) => {
                let hosts = format!("{:?}", target.topology).contains(SECRET);
                let shown = format!("{:?}", target.login).contains(SECRET);
                assert!(!shown, "{url}");
                let before_host = url.find(SECRET) < url.rfind('@') && url.contains('@');
                assert!(!hosts || !before_host || url.rfind(SECRET) > url.rfind('@'), "{url}");
            }
        }
    }
}

#[test]
fn an_encoded_password_comes_back_whatever_it_holds() {
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..20_000 {
        let password: String = (0..random.usize(1..12)).map(|_| random.char(..)).collect();
        let encoded: String = password.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let target = Target::parse(&format!("redis://u:{encoded}@host/1")).unwrap();
        assert_eq!(target.login.password.unwrap().expose(), password);
    }
}
