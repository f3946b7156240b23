//! Which server of a cluster has which slots, as `CLUSTER SLOTS` tells it.

use std::collections::{BTreeMap, BTreeSet};

use ::redis::Value;

use super::slots::{BUCKETS, slot};
use super::url::Address;

/// The servers, and where the buckets lie.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// The primaries, in the order of their first slots: a replica that takes over also takes the
    /// place of its primary.
    pub(super) primaries: Vec<Address>,
    /// For each bucket the place of its primary.
    pub(super) owners: Vec<Option<usize>>,
    /// All other servers.
    pub(super) replicas: Vec<Address>,
}

impl Layout {
    /// Understands the answer of the server at this address; `None` if there is nothing in it.
    pub(super) fn of(answer: &Value, asked: &Address) -> Option<Self> {
        let Value::Array(rows) = answer else { return None };
        let ranges: Vec<Range> = rows.iter().filter_map(|row| Range::of(row, asked)).collect();
        let mut first_slots: BTreeMap<&Address, u16> = BTreeMap::new();
        for range in &ranges {
            let first = first_slots.entry(&range.primary).or_insert(range.first);
            *first = (*first).min(range.first);
        }
        let mut primaries: Vec<(u16, &Address)> =
            first_slots.iter().map(|(address, first)| (*first, *address)).collect();
        primaries.sort();
        let place = |address: &Address| primaries.iter().position(|(_, known)| *known == address);
        let owner = |bucket| {
            let slot = slot(bucket);
            let range = ranges.iter().find(|range| (range.first..=range.last).contains(&slot))?;
            place(&range.primary)
        };
        let owners = (0..BUCKETS).map(owner).collect();
        let replicas: BTreeSet<&Address> =
            ranges.iter().flat_map(|range| &range.replicas).collect();
        let layout = Self {
            primaries: primaries.iter().map(|(_, address)| (*address).clone()).collect(),
            owners,
            replicas: replicas.into_iter().cloned().collect(),
        };
        (!layout.primaries.is_empty()).then_some(layout)
    }
}

/// Slots that follow each other on one server.
struct Range {
    first: u16,
    last: u16,
    primary: Address,
    replicas: Vec<Address>,
}

impl Range {
    fn of(row: &Value, asked: &Address) -> Option<Self> {
        let Value::Array(fields) = row else { return None };
        let [Value::Int(first), Value::Int(last), servers @ ..] = fields.as_slice() else {
            return None;
        };
        let mut servers = servers.iter().filter_map(|server| address(server, asked));
        Some(Self {
            first: u16::try_from(*first).ok()?,
            last: u16::try_from(*last).ok()?,
            primary: servers.next()?,
            replicas: servers.collect(),
        })
    }
}

fn address(server: &Value, asked: &Address) -> Option<Address> {
    let Value::Array(fields) = server else { return None };
    let [host, Value::Int(port), ..] = fields.as_slice() else { return None };
    let host = match host {
        Value::BulkString(host) => std::str::from_utf8(host).ok()?,
        Value::SimpleString(host) => host,
        // A server that knows no name of its own is the one that was asked.
        Value::Nil => "",
        _ => return None,
    };
    Some(Address::announced(host, u16::try_from(*port).ok()?, asked))
}

#[cfg(test)]
mod tests {
    use super::Layout;
    use crate::provider::redis::slots::slot;
    use crate::provider::redis::url::Address;
    use ::redis::Value;

    fn server(host: &str, port: i64) -> Value {
        Value::Array(vec![Value::BulkString(host.into()), Value::Int(port)])
    }

    fn range(first: i64, last: i64, servers: Vec<Value>) -> Value {
        Value::Array([vec![Value::Int(first), Value::Int(last)], servers].concat())
    }

    fn at(port: u16) -> Address {
        Address { host: "h".to_owned(), port }
    }

    #[test]
    fn primaries_stand_in_the_order_of_their_slots() {
        let answer = Value::Array(vec![
            range(8_192, 16_000, vec![server("h", 1), server("h", 4)]),
            range(0, 99, vec![server("", 2), server("h", 3)]),
            range(100, 8_191, vec![server("h", 1), server("h", 4)]),
        ]);
        let layout = Layout::of(&answer, &at(9)).unwrap();
        assert_eq!(layout.primaries, [at(2), at(1)]);
        assert_eq!(layout.replicas, [at(3), at(4)]);
        for (bucket, owner) in (0..).zip(&layout.owners) {
            let expected = match slot(bucket) {
                0..100 => Some(0),
                100..=16_000 => Some(1),
                _ => None,
            };
            assert_eq!(*owner, expected);
        }
    }

    #[test]
    fn nonsense_is_no_layout() {
        let rows = [
            Value::Nil,
            Value::Array(vec![]),
            Value::Array(vec![Value::Array(vec![])]),
            Value::Array(vec![range(0, 1, vec![])]),
            Value::Array(vec![range(-1, 1, vec![server("h", 1)])]),
            Value::Array(vec![range(0, 1, vec![server("h", 70_000)])]),
        ];
        for answer in rows {
            assert_eq!(Layout::of(&answer, &at(9)), None, "{answer:?}");
        }
    }
}
