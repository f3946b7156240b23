//! Where values lie: the byte-level contract between the cache's rules and a store.
//!
//! [`Provider`] is the small set of atomic steps that the invalidation protocol is made of; the
//! rules themselves (when a value is valid, who loads, what may be shared) live above it, once for
//! all stores. A provider therefore knows nothing of types, loads, statistics or staleness: it
//! keeps two sorts of things.
//!
//! - A **cell** belongs to a key and holds bytes. Its first [`Prefix::LENGTH`] bytes, the
//!   [`Prefix`], name what lies in it (a kind and a random id), and every step that depends on
//!   what somebody saw before compares prefixes. A lease lies *in place of* the value, so whatever
//!   removes the cell also removes the right to fill it.
//! - A **mark** has a [`Mark`] name and holds a random nonce, or is absent. Entries remember the
//!   marks' nonces from before their load; removing a mark invalidates all of them at once. A mark
//!   that is absent, for whatever reason (eviction too), makes entries invalid, never valid.
//!
//! Both expire on their own, and losing either at any time is safe.
//!
//! Whether a provider keeps the contract is checked by the `conformance` suite (feature
//! `conformance`).

mod bytes;
#[cfg(any(feature = "redis", feature = "upstash"))]
mod commands;
mod ext;
mod forward;
mod mark;
mod memory;
#[cfg(feature = "redis")]
mod redis;
mod request;
#[cfg(feature = "upstash")]
mod upstash;
mod watch;

use std::fmt::Debug;
use std::pin::Pin;
use std::time::Duration;

use crate::{Pattern, Result};

pub use crate::entry::{CellKind, Incarnation, Prefix, Stamp};
pub use bytes::CellBytes;
pub use ext::ProviderExt;
#[cfg(any(feature = "entry", feature = "conformance"))]
pub(crate) use mark::SWEEP;
pub use mark::{Mark, MarkKind, MarkState};
pub use memory::{MemoryProvider, MemoryProviderBuilder};
#[cfg(feature = "redis")]
pub use redis::{RedisProvider, RedisProviderBuilder};
pub use request::{
    Acquire, Acquired, Baseline, Description, Expected, Extent, Fill, Filled, Lookup, Observed,
    OnRefused, Refusal, Removal, Usage, ttl_millis,
};
#[cfg(feature = "upstash")]
pub use upstash::{UpstashProvider, UpstashProviderBuilder};
pub use watch::{Changed, Sign, Watch, Watcher};

#[cfg(feature = "fuzzing")]
pub(crate) use redis::fuzzing as redis_fuzzing;
#[cfg(feature = "fuzzing")]
pub(crate) use upstash::fuzzing as upstash_fuzzing;

/// A boxed future, so that a provider can be chosen at run time.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A store of cells and marks.
///
/// Each method is one step that others see as a whole or not at all, except where its text says
/// otherwise. The texts under "On Redis" say how the step maps to commands; they are there to keep
/// the contract implementable and bind nobody.
///
/// # Names
/// Keys and mark names are any text: also empty, with glob characters, line breaks or any other
/// script. A cell and a mark never meet, even if their texts are alike. Every provider has a
/// namespace, and nothing that it does reaches what lies in another one.
///
/// # Time
/// Every TTL is at least obeyed to the millisecond, rounded up, and a zero TTL is the shortest one,
/// never "for ever"; [`ttl_millis`] does both. What has expired is never seen again by any method.
///
/// # Errors
/// [`Unavailable`](crate::ErrorKind::Unavailable): surely nothing happened.
/// [`Unknown`](crate::ErrorKind::Unknown) and [`Timeout`](crate::ErrorKind::Timeout): the step may
/// or may not happen, even later. [`InvalidKey`](crate::ErrorKind::InvalidKey): a key or a mark's
/// name is longer than the store takes (each takes 1,024 bytes at least).
/// `Ok` means that the store acknowledged it. A provider does not
/// retry what is not safe to repeat: [`acquire`](Self::acquire) and [`fill`](Self::fill) are not.
///
/// # Cancel safety
/// Dropping a future leaves its step in doubt, exactly as `Unknown` does, and disturbs no other.
///
/// # Examples
///
/// One load, from the miss to the stored value, and the invalidation of its tag:
///
/// ```
/// use std::time::Duration;
/// use cache_runtime::provider::{
///     Acquire, Acquired, CellKind, Fill, Filled, Mark, MarkState, MemoryProvider, Prefix,
///     Provider, ProviderExt,
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> cache_runtime::Result<()> {
/// let (provider, hour) = (MemoryProvider::new(1_000), Duration::from_secs(3_600));
/// let marks = [Mark::tag("users")];
/// let seen = provider.read_one("user:42", &marks).await?;
///
/// let lease = Prefix::unique(CellKind::Lease);
/// let request = Acquire::new("user:42", lease, Duration::from_secs(2));
/// let request = request.expected(seen.prefix()).marks(&marks, hour * 2);
/// let Acquired::Granted(before) = provider.acquire(request).await? else {
///     return Ok(()); // somebody else loads
/// };
/// let mut value = Prefix::unique(CellKind::Value).as_bytes().to_vec();
/// value.extend_from_slice(b"what was loaded");
/// let request = Fill::new("user:42", &value, hour).expected(lease).marks(&marks, hour * 2);
/// let filled = provider.fill(request).await?;
/// assert_eq!(filled, Filled::Stored(before.marks)); // nobody invalidated meanwhile
///
/// provider.remove_marks(&marks).await?;
/// let seen = provider.read_one("user:42", &marks).await?;
/// assert_eq!(seen.marks, [MarkState::Absent]); // the value is still there, and invalid
/// # Ok(())
/// # }
/// ```
///
/// # Wrappers
/// A wrapper forwards every method and denies `clippy::missing_trait_methods`, so that a method
/// that is added one day is not forgotten. All methods are required for the same reason.
pub trait Provider: Debug + Send + Sync + 'static {
    /// Reads cells together with the marks that decide about them.
    ///
    /// The answers stand in the order of the questions. A lookup may name the same key or mark as
    /// another. One lookup's cell and marks need not be seen at one instant, and no order between
    /// them is promised: the rules hold in either. All of them are seen after the call began, and
    /// on the authoritative copy, never on a replica that may lag.
    ///
    /// On Redis: one `MGET` of all cells and marks; `GETRANGE` for [`Extent::Prefix`] in the same
    /// round trip. On Cluster one `MGET` per node involved, in parallel.
    fn read<'a>(&'a self, lookups: &'a [Lookup<'a>]) -> BoxFuture<'a, Result<Vec<Observed>>>;

    /// Puts a lease into a cell if it still holds what the caller saw.
    ///
    /// Granted: the cell holds exactly the lease's prefix for `lease_ttl`. The marks are created
    /// where they are absent (never where they are held), and their states are read when the lease
    /// is in place or before, but after the call began: no load has started yet, so an
    /// invalidation that comes later meets these nonces. Existing marks keep their nonce, and
    /// their TTL is never shortened.
    ///
    /// Busy: nothing changed in the cell, and the answer holds the prefix that was found.
    ///
    /// On Redis: one script over the cell and the marks; on Cluster a script over the cell, and
    /// `SET NX` with `GET` for marks elsewhere in the same round trip.
    fn acquire<'a>(&'a self, request: Acquire<'a>) -> BoxFuture<'a, Result<Acquired>>;

    /// Stores a value if the cell still holds what the caller expects, and every guard holds.
    ///
    /// In this order: if the request carries an incarnation and the server that would store is in
    /// another, the fill is refused. If the cell does not hold what is expected, it is refused. If
    /// a guard's mark is not live with that very stamp, it is refused. A refused fill changes
    /// nothing, unless [`OnRefused::Remove`] was asked for: then the cell is removed.
    ///
    /// Stored: the cell holds the value for `ttl`, the live ones among the marks live for at least
    /// `mark_ttl` from now (a longer time is never shortened, absent ones are not created), and
    /// the answer holds their states, read when the value was stored or later: this is what join
    /// rule J compares.
    ///
    /// The cell's comparison and the storing are one atomic step. Guards may be looked at before
    /// it, but after the call began: whoever passes a guard has read the stamps that lie in the
    /// value before this call, so what matters is that the guard held after *that*.
    ///
    /// On Redis: one script over the cell, marks and guards; on Cluster the guards are read first,
    /// the script takes the cell alone, and the marks are read after it.
    ///
    /// # Errors
    /// [`Codec`](crate::ErrorKind::Codec) if the value is shorter than a prefix,
    /// [`TooLarge`](crate::ErrorKind::TooLarge) if the store would not take it; the cell is then
    /// as it was, or empty.
    fn fill<'a>(&'a self, request: Fill<'a>) -> BoxFuture<'a, Result<Filled>>;

    /// Sets the TTL of a cell that still holds `prefix`; false if it holds anything else.
    ///
    /// On Redis: a compare-and-expire script.
    fn renew<'a>(
        &'a self,
        key: &'a str,
        prefix: Prefix,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<bool>>;

    /// Removes a cell that still holds `prefix`; false if it holds anything else.
    ///
    /// On Redis: a compare-and-delete script, or `DELIFEQ` where the cell is all prefix.
    fn release<'a>(&'a self, key: &'a str, prefix: Prefix) -> BoxFuture<'a, Result<bool>>;

    /// Creates the marks of `key` that are absent and tells the state of all of them.
    ///
    /// For what is stored without a lease, and for tags that only the loaded value names. `key`
    /// says where a mark of kind [`MarkKind::Scope`] is meant to lie; nothing happens to its cell.
    ///
    /// On Redis: `SET NX PX` and `MGET` in one round trip, or a script.
    fn ensure_marks<'a>(
        &'a self,
        key: &'a str,
        marks: &'a [Mark<'a>],
        ttl: Duration,
    ) -> BoxFuture<'a, Result<Baseline>>;

    /// Adds one hold to each mark: while a mark is held, entries that carry it are neither valid nor
    /// stored anew.
    ///
    /// For whoever wants nothing stale even if it dies between its commit and its invalidation, for
    /// databases whose replicas lag, and for removals of many names that cannot go at one instant.
    /// Each hold counts for itself, so that several holders do not disturb each other: the mark stays
    /// held until each of them has [released](Self::release_marks) it or come to its end. Then it is
    /// absent; the nonce that it had before never comes back. A mark that is named twice is held
    /// twice. A hold that nobody releases ends when it was to end, whatever others do meanwhile.
    ///
    /// Repeating this after an error may hold it twice. Then one of them lasts until its end.
    ///
    /// On Redis: one script for the marks of one slot, all in one round trip.
    fn hold_marks<'a>(&'a self, marks: &'a [Mark<'a>], ttl: Duration) -> BoxFuture<'a, Result<()>>;

    /// Ends one hold of each mark, the one that would end first: so all others are held for at least as
    /// long as they are to be. A mark that nobody holds any more, or that was not held, is
    /// removed: its hold may have come to its end, and removing a mark is always safe.
    ///
    /// Only for whoever knows that its own hold has neither ended nor been released: otherwise this
    /// may end somebody else's. So it is not repeated after an error. A hold that nobody releases
    /// ends by itself.
    ///
    /// On Redis: one script for the marks of one slot, all in one round trip.
    fn release_marks<'a>(&'a self, marks: &'a [Mark<'a>]) -> BoxFuture<'a, Result<()>>;

    /// Removes cells (values and leases alike) and marks; returns how many of all those there were.
    ///
    /// A mark that is held stays held, and does not count: it is invalid already, and whoever holds
    /// it wants it to stay so. `Ok` only after every node involved has acknowledged. The effort does
    /// not depend on the number of entries that carry a mark.
    ///
    /// All names go together: nobody finds that one of them can be made anew (an absent cell or mark)
    /// and later finds another one as it was before. Otherwise a load that depends on two of them
    /// could store what it made of the one that still was there. Where names cannot go at one
    /// instant, all are blocked first: marks are held, and a cell of kind [`CellKind::Write`] lies in
    /// place of each key, until everything is acknowledged; then all are removed. After an error,
    /// each name may be as it was, blocked for a few seconds, or removed.
    ///
    /// On Redis: one `UNLINK`, or one script where marks are named. On Cluster, if several slots are
    /// involved, two commands for each, in two rounds.
    fn remove<'a>(&'a self, removal: Removal<'a>) -> BoxFuture<'a, Result<u64>>;

    /// Waits until at least `replicas` replicas of each server that has one of these names hold all
    /// that was acknowledged there before the call; returns how many do, on the server with the
    /// fewest. After `patience` it returns what has been reached.
    ///
    /// Nothing happens to the names. A store without replicas has nothing to wait for, and returns
    /// `replicas`. If another server has taken over since the write, the answer says nothing of it:
    /// then the fence makes invalid what the other server knows.
    ///
    /// On Redis: a write of no consequence and `WAIT`, on a connection of its own to each server,
    /// since `WAIT` holds up whatever comes behind it.
    ///
    /// # Errors
    /// [`Unsupported`](crate::ErrorKind::Unsupported) if the store has replicas and does not tell.
    fn replicate<'a>(
        &'a self,
        names: Removal<'a>,
        replicas: u32,
        patience: Duration,
    ) -> BoxFuture<'a, Result<u32>>;

    /// Removes every cell, leases included, whose key fits the pattern; returns how many.
    ///
    /// A cell that exists during the whole call is removed. One that is created meanwhile may
    /// survive: its load began while this call was under way. Effort: all keys of the store.
    ///
    /// Where the cells cannot go at one instant, a mark that is set aside for it is held from before
    /// the first one goes until after the last one: the cache names it in each
    /// [`acquire`](Self::acquire), so that loads that begin meanwhile store nothing.
    ///
    /// On Redis: `SCAN MATCH` and `UNLINK` on every primary.
    fn remove_matching<'a>(&'a self, pattern: &'a Pattern) -> BoxFuture<'a, Result<u64>>;

    /// Removes every cell and mark of the namespace, and nothing else; as
    /// [`remove_matching`](Self::remove_matching) does where they cannot go at one instant. Marks
    /// that are held stay held.
    fn clear(&self) -> BoxFuture<'_, Result<()>>;

    /// Asks the store for a sign of life, and which life it is.
    ///
    /// On Redis: `PING`; the incarnation is a hash of `run_id` and `master_replid`, read at
    /// connect.
    fn ping(&self) -> BoxFuture<'_, Result<Incarnation>>;

    /// How much the namespace holds, as far as the store can tell cheaply.
    fn usage(&self) -> BoxFuture<'_, Result<Usage>>;

    /// What this store is, for guarantees, logs and the dashboard. Never holds a secret.
    fn describe(&self) -> Description;

    /// Whether the store consists of several servers, and at least one of them serves: what has
    /// failed may then be the affair of another one alone, so that those who ask this one are not to
    /// suffer for it. Never waits.
    ///
    /// On Redis Cluster: whether a primary is connected, and did not refuse what it was asked last.
    fn serves_in_part(&self) -> bool {
        false
    }

    /// Tells a watcher of every change from now on, for as long as it exists, and brings it a sign of
    /// life about as often as it wants; false if the store has no way to tell, and nothing happens.
    ///
    /// A change is told when or after it takes effect, and before any sign of life that was asked
    /// for after the change was acknowledged to whoever made it. When changes may have been lost,
    /// [`Changed::Everything`] is told before the next sign of life. While the store, or one of its
    /// servers, cannot be heard, there are no signs of life.
    ///
    /// On Redis: a connection of its own to each primary, with `CLIENT TRACKING ON BCAST` for the
    /// namespace; a sign of life is a `PING` on that connection.
    fn watch(&self, watch: Watch) -> bool;

    /// Finishes what is under way and lets go of connections; later calls fail with
    /// [`Shutdown`](crate::ErrorKind::Shutdown).
    fn shutdown(&self) -> BoxFuture<'_, Result<()>>;
}
