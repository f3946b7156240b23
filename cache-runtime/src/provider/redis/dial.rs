//! How the server for a lane is found and recognised.

use std::fmt;
use std::sync::Arc;

use super::identity::Identity;
use super::lane::{Connection, Settings};
use super::sentinel::Sentinels;
use super::url::Address;
use super::wire::Wire;
use crate::{Error, ErrorKind, Result};

/// Whom a lane leads to.
#[derive(Clone, Debug)]
pub(super) enum Dial {
    /// The server at this address, which has to be a primary: a copy may lag behind.
    Primary(Address),
    /// The server at this address. In a cluster a copy redirects, so its role does not matter.
    Member(Address),
    /// The server that Sentinel names.
    Sentinel(Arc<Sentinels>),
}

impl Dial {
    /// Connects.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](ErrorKind::Unavailable).
    pub(super) async fn open(&self, settings: &Settings) -> Result<Connection> {
        match self {
            Dial::Primary(address) => primary(address, settings).await,
            Dial::Member(address) => member(address, settings).await,
            Dial::Sentinel(sentinels) => sentinels.open(settings).await,
        }
    }

    /// Asks whether a connection still leads to the same server in the same life.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](ErrorKind::Unavailable) if it does not say.
    pub(super) async fn check(&self, connection: &Connection, settings: &Settings) -> Result<bool> {
        if Identity::ask(&connection.wire).await? != connection.identity {
            return Ok(false);
        }
        match self {
            Dial::Primary(_) | Dial::Member(_) => Ok(true),
            Dial::Sentinel(sentinels) => Ok(!sentinels.have_moved_on(connection, settings).await),
        }
    }
}

impl fmt::Display for Dial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Dial::Primary(address) | Dial::Member(address) => fmt::Display::fmt(address, f),
            Dial::Sentinel(sentinels) => fmt::Display::fmt(sentinels, f),
        }
    }
}

async fn member(address: &Address, settings: &Settings) -> Result<Connection> {
    let Settings { login, database, tls, pushes, .. } = settings;
    let wire = Wire::open(address, login, *database, tls.as_ref(), pushes.as_ref()).await?;
    let identity = Identity::ask(&wire).await?;
    Ok(Connection { wire, identity })
}

/// Connects to a server and makes sure that it is no copy of another.
///
/// # Errors
///
/// [`Unavailable`](ErrorKind::Unavailable).
pub(super) async fn primary(address: &Address, settings: &Settings) -> Result<Connection> {
    let connection = member(address, settings).await?;
    if connection.identity.is_replica {
        let message = format!("{address} is a replica, and a cache reads and writes the primary");
        return Err(Error::new(ErrorKind::Unavailable, "redis", message));
    }
    Ok(connection)
}
