//! What the fuzz targets see of a URL of Redis.

use super::url::{Login, Target, Topology};
use crate::{Result, Secret};

/// What a URL was understood as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisUrl {
    /// All of it, as a log may show it.
    pub shown: String,
    /// The user and the password.
    pub login: (Option<String>, Option<String>),
    /// The user and the password for Sentinel.
    pub sentinel_login: (Option<String>, Option<String>),
    /// Hosts and ports, in order.
    pub hosts: Vec<(String, u16)>,
    /// What Sentinel calls the primary.
    pub service: Option<String>,
    /// The number of the database.
    pub database: u32,
    /// Whether connections are encrypted.
    pub tls: bool,
}

/// Understands a URL.
///
/// # Errors
///
/// [`Config`](crate::ErrorKind::Config), as for [`RedisProvider::new`](super::RedisProvider::new).
pub fn redis_url(url: &str) -> Result<RedisUrl> {
    let target = Target::parse(url)?;
    let shown = format!("{target:?}");
    let (hosts, service, sentinel) = match target.topology {
        Topology::Standalone(address) => (vec![address], None, Login::default()),
        Topology::Sentinel { sentinels, service, login } => (sentinels, Some(service), login),
        Topology::Cluster { seeds } => (seeds, None, Login::default()),
    };
    Ok(RedisUrl {
        shown,
        login: exposed(&target.login),
        sentinel_login: exposed(&sentinel),
        hosts: hosts.into_iter().map(|address| (address.host, address.port)).collect(),
        service,
        database: target.database,
        tls: target.tls,
    })
}

fn exposed(login: &Login) -> (Option<String>, Option<String>) {
    let text = |secret: &Option<Secret>| secret.as_ref().map(|secret| secret.expose().to_owned());
    (text(&login.username), text(&login.password))
}
