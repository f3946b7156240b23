//! Which servers of a cluster may be written to, as far as anybody has told us.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::url::Address;

/// All that may be written to.
#[derive(Debug, Default)]
pub(super) struct Sighted {
    /// The number that [`Named`] had.
    pub(super) edition: u64,
    pub(super) primaries: Vec<Address>,
    /// For each bucket the place of its primary.
    pub(super) owners: Vec<Option<usize>>,
    /// Servers that redirections named and that are none of the primaries.
    pub(super) strangers: Vec<Address>,
}

/// The servers that redirections named, until they are primaries or are forgotten; and a number
/// that changes whenever they do, or the primaries and what these have.
#[derive(Debug, Default)]
pub(super) struct Named {
    servers: Mutex<HashSet<Address>>,
    edition: AtomicU64,
}

impl Named {
    /// A redirection names a server.
    pub(super) fn add(&self, address: &Address) {
        let mut servers = self.servers();
        if !servers.contains(address) {
            servers.insert(address.clone());
            self.next_edition();
        }
    }

    /// Forgets a server until it is named again.
    pub(super) fn forget(&self, address: &Address) {
        if self.servers().remove(address) {
            self.next_edition();
        }
    }

    /// The cluster has said who its primaries are, and whether all is as before.
    pub(super) fn settle(&self, primaries: &[Address], is_same: bool) {
        self.servers().retain(|address| !primaries.contains(address));
        if !is_same {
            self.next_edition();
        }
    }

    /// All of them.
    pub(super) fn all(&self) -> Vec<Address> {
        self.servers().iter().cloned().collect()
    }

    /// The number.
    pub(super) fn edition(&self) -> u64 {
        self.edition.load(Ordering::SeqCst)
    }

    fn next_edition(&self) {
        self.edition.fetch_add(1, Ordering::SeqCst);
    }

    fn servers(&self) -> MutexGuard<'_, HashSet<Address>> {
        self.servers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{Address, Named};

    fn at(port: u16) -> Address {
        Address { host: "h".to_owned(), port }
    }

    #[test]
    fn every_change_is_another_edition_and_nothing_else_is() {
        let named = Named::default();
        let mut editions = vec![named.edition()];
        named.add(&at(1));
        editions.push(named.edition());
        named.add(&at(2));
        editions.push(named.edition());
        named.forget(&at(2));
        editions.push(named.edition());
        named.settle(&[at(1)], false);
        editions.push(named.edition());
        assert!(editions.windows(2).all(|pair| pair[0] < pair[1]), "{editions:?}");
        assert_eq!(named.all(), []);

        named.add(&at(3));
        let edition = named.edition();
        named.add(&at(3));
        named.forget(&at(4));
        named.settle(&[at(1)], true);
        assert_eq!((named.edition(), named.all()), (edition, vec![at(3)]));
    }
}
