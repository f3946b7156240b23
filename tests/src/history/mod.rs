//! The history check over whole topologies: several processes read, write and invalidate through
//! one cache for a time, faults happen to it, and every read is judged.
//!
//! `cargo run --release -p cache-tests --bin consistency -- cluster --seconds 60 --faults` runs one
//! topology, `-- all` prints the whole table, and `-- rules` leaves out one rule of the protocol
//! after the other and sees what comes of it.

mod faults;
mod kinds;
mod rules;
mod run;
mod schedule;
mod store;
mod table;

pub use kinds::Kind;
pub use rules::without;
pub use run::{Report, Setup, run};
pub use schedule::Happened;
pub use store::Topology;
pub use table::{HAPPENED, HEAD, happened, line, number};
