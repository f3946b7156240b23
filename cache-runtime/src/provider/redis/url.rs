//! What a Redis URL says, as types. No error and no `Debug` shows any part of a password.

use std::fmt;
use std::net::Ipv6Addr;

use crate::{Error, ErrorKind, Result, Secret};

/// Where Redis is, and who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) topology: Topology,
    pub(super) login: Login,
    pub(super) database: u32,
    pub(super) tls: bool,
}

/// How the servers hang together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Topology {
    /// One server.
    Standalone(Address),
    /// The one that Sentinel calls the primary.
    Sentinel { sentinels: Vec<Address>, service: String, login: Login },
    /// Many, each with a part of the keys; these are asked for the others.
    Cluster { seeds: Vec<Address> },
}

/// A host and a port.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
}

/// Who asks. The user's name is hidden too: people put passwords there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Login {
    pub(super) username: Option<Secret>,
    pub(super) password: Option<Secret>,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            return write!(f, "[{}]:{}", self.host, self.port);
        }
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Standalone,
    Sentinel,
    Cluster,
}

impl Target {
    /// Understands a URL.
    ///
    /// # Errors
    ///
    /// [`Config`](ErrorKind::Config), with what is wrong and how it should look; it cites nothing of
    /// the URL, since a password that is not percent-encoded can end up anywhere in it.
    pub(super) fn parse(url: &str) -> Result<Self> {
        let (scheme, rest) = url.trim().split_once("://").ok_or_else(unknown_scheme)?;
        let (kind, secured) = match scheme.to_ascii_lowercase().as_str() {
            "redis" | "valkey" => (Kind::Standalone, false),
            "rediss" | "valkeys" => (Kind::Standalone, true),
            "redis+sentinel" | "valkey+sentinel" => (Kind::Sentinel, false),
            "rediss+sentinel" | "valkeys+sentinel" => (Kind::Sentinel, true),
            "redis+cluster" | "valkey+cluster" => (Kind::Cluster, false),
            "rediss+cluster" | "valkeys+cluster" => (Kind::Cluster, true),
            _ => return Err(unknown_scheme()),
        };
        let parts = Parts::of(rest)?;
        let login = parts.login.map_or(Ok(Login::default()), Login::parse)?;
        let options = Options::parse(parts.query, kind)?;
        let hosts = addresses(parts.hosts, if kind == Kind::Sentinel { 26_379 } else { 6_379 })?;
        let (topology, database) = topology(kind, hosts, parts.path, options.sentinel)?;
        Ok(Self { topology, login, database, tls: options.tls.unwrap_or(secured) })
    }
}

/// A URL after its scheme, cut but not understood.
struct Parts<'a> {
    login: Option<&'a str>,
    hosts: &'a str,
    path: &'a str,
    query: &'a str,
}

impl<'a> Parts<'a> {
    fn of(rest: &'a str) -> Result<Self> {
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        if tail.contains('@') {
            return Err(wrong(
                "holds an `@` after the host; in a user name and a password `/`, `?`, `#`, `%` and \
                 `@` have to be percent-encoded, as in `%2F` for `/`",
            ));
        }
        if tail.contains('#') {
            return Err(wrong(
                "ends with a fragment (`#..`), which has no meaning here: leave it out",
            ));
        }
        let (path, query) = tail.split_once('?').unwrap_or((tail, ""));
        let (login, hosts) = match authority.rsplit_once('@') {
            Some((login, hosts)) => (Some(login), hosts),
            None => (None, authority),
        };
        Ok(Self { login, hosts, path: path.strip_prefix('/').unwrap_or(path), query })
    }
}

impl Login {
    fn parse(text: &str) -> Result<Self> {
        let Some((username, password)) = text.split_once(':') else {
            return Err(wrong(
                "names a user but no password; write `redis://:<password>@<host>` or \
                 `redis://<user>:<password>@<host>`",
            ));
        };
        let (username, password) = (decoded(username)?, decoded(password)?);
        let known = !username.is_empty() || !password.is_empty();
        Ok(Self {
            username: (!username.is_empty()).then(|| Secret::new(username)),
            password: known.then(|| Secret::new(password)),
        })
    }
}

/// What stands after the question mark.
#[derive(Default)]
struct Options {
    tls: Option<bool>,
    sentinel: Login,
}

impl Options {
    fn parse(query: &str, kind: Kind) -> Result<Self> {
        let mut options = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let fresh = match (name, kind) {
                ("tls", Kind::Sentinel | Kind::Cluster) => match value {
                    "true" | "1" => options.tls.replace(true).is_none(),
                    "false" | "0" => options.tls.replace(false).is_none(),
                    _ => return Err(wrong("has an option `tls` that is not `true` or `false`")),
                },
                ("sentinel_username", Kind::Sentinel) => {
                    options.sentinel.username.replace(Secret::new(decoded(value)?)).is_none()
                }
                ("sentinel_password", Kind::Sentinel) => {
                    options.sentinel.password.replace(Secret::new(decoded(value)?)).is_none()
                }
                ("tls", Kind::Standalone) => {
                    return Err(wrong("has an option `tls`; for one server write `rediss://`"));
                }
                // The name is not cited: it may be a piece of a password.
                (_, Kind::Standalone) => {
                    return Err(wrong(
                        "has an option after `?`, and for one server there is none: leave it out",
                    ));
                }
                (_, Kind::Sentinel) => {
                    return Err(wrong(
                        "has an unknown option after `?`; there are `sentinel_username`, \
                         `sentinel_password` and `tls`",
                    ));
                }
                (_, Kind::Cluster) => {
                    return Err(wrong("has an unknown option after `?`; there is `tls`"));
                }
            };
            if !fresh {
                return Err(wrong("has the same option twice after `?`: leave one out"));
            }
        }
        if options.sentinel.username.is_some() && options.sentinel.password.is_none() {
            return Err(wrong("has `sentinel_username` but no `sentinel_password`: add it"));
        }
        Ok(options)
    }
}

fn topology(
    kind: Kind,
    mut hosts: Vec<Address>,
    path: &str,
    sentinel: Login,
) -> Result<(Topology, u32)> {
    match kind {
        Kind::Standalone => {
            let host = hosts.pop().filter(|_| hosts.is_empty()).ok_or_else(|| {
                wrong(
                    "names several hosts, which is for `redis+sentinel://` and `redis+cluster://`",
                )
            })?;
            Ok((Topology::Standalone(host), database(path)?))
        }
        Kind::Sentinel => {
            let (service, number) = path.split_once('/').unwrap_or((path, ""));
            let service = decoded(service)?;
            if service.is_empty() {
                return Err(wrong(
                    "names no service; write `redis+sentinel://<host>,<host>/<service>`, where the \
                     service is what Sentinel calls the primary, such as `mymaster`",
                ));
            }
            let topology = Topology::Sentinel { sentinels: hosts, service, login: sentinel };
            Ok((topology, database(number)?))
        }
        Kind::Cluster => match database(path)? {
            0 => Ok((Topology::Cluster { seeds: hosts }, 0)),
            _ => Err(wrong(
                "has a database number; Redis Cluster has the database 0 alone: leave it out",
            )),
        },
    }
}

fn addresses(hosts: &str, default_port: u16) -> Result<Vec<Address>> {
    hosts.split(',').map(|host| Address::parse(host, default_port)).collect()
}

impl Address {
    fn parse(text: &str, default_port: u16) -> Result<Self> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, rest) = rest
                    .split_once(']')
                    .filter(|(host, _)| host.parse::<Ipv6Addr>().is_ok())
                    .ok_or_else(|| {
                        wrong("has brackets `[..]` around what is no IPv6 address such as `[::1]`")
                    })?;
                let port = match rest.strip_prefix(':') {
                    None if !rest.is_empty() => return Err(wrong_host()),
                    port => port,
                };
                (host, port)
            }
            None => match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        if host.is_empty() {
            return Err(wrong("names no host; write `redis://<host>:<port>`"));
        }
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
        if !host.chars().all(is_plain) && host.parse::<Ipv6Addr>().is_err() {
            return Err(wrong_host());
        }
        let port = match port.filter(|port| !port.is_empty()) {
            None => default_port,
            Some(port) => port.parse().ok().filter(|port| *port != 0).ok_or_else(|| {
                wrong(
                    "has a port that is no number from 1 to 65535, or a password that is not \
                     percent-encoded",
                )
            })?,
        };
        Ok(Self { host: host.to_owned(), port })
    }

    /// The address in a server's answer: a host, or nothing for the host that answered.
    pub(super) fn announced(host: &str, port: u16, asked: &Address) -> Self {
        let host = if host.is_empty() || host == "?" { &asked.host } else { host };
        Self { host: host.to_owned(), port }
    }
}

fn database(text: &str) -> Result<u32> {
    let text = text.strip_suffix('/').unwrap_or(text);
    if text.is_empty() {
        return Ok(0);
    }
    text.parse().ok().filter(|number| *number <= i32::MAX as u32).ok_or_else(|| {
        wrong("has a path that is no database number, or a password that is not percent-encoded")
    })
}

/// Percent-decoded text.
fn decoded(text: &str) -> Result<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16));
        let (Some(high), Some(low)) = (digit(), digit()) else {
            return Err(wrong(
                "has a `%` that is not followed by two hexadecimal digits; `%` itself is `%25`",
            ));
        };
        bytes.push((high * 16 + low) as u8);
    }
    String::from_utf8(bytes).map_err(|_| wrong("holds percent-encoded bytes that are no UTF-8"))
}

fn wrong(what: &str) -> Error {
    Error::new(ErrorKind::Config, "redis", format!("the URL of Redis (`REDIS_URL`) {what}"))
}

fn wrong_host() -> Error {
    wrong(
        "has a host that is neither a name nor an address, or a password that is not percent-encoded",
    )
}

fn unknown_scheme() -> Error {
    wrong(
        "begins with none of `redis://`, `rediss://` (TLS), `redis+sentinel://`, \
         `redis+cluster://`",
    )
}
