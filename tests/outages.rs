//! Outages of the store under load: what they add to a call of an annotated function, that none
//! fails, that nothing stale is served, and that every invalidation issued takes effect.
//!
//! The tests run one after another, since each measures times. The tables that they print say more
//! than the bounds that they assert: those leave room for machines that do other work as well.

#[path = "outages/load.rs"]
mod load;
#[path = "outages/report.rs"]
mod report;
#[path = "outages/rows.rs"]
mod rows;
#[path = "outages/single.rs"]
mod single;
#[path = "outages/topologies.rs"]
mod topologies;
#[path = "outages/upstash.rs"]
mod upstash;

use tokio::sync::{Mutex, MutexGuard};

/// Waits until no other test of this file runs.
async fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::const_new(());
    ONE.lock().await
}
