//! The history check over whole topologies: several processes read, write and invalidate through
//! one cache for a time, faults happen to it, and every read is judged.
//!
//! `cargo run --release -p cache-tests --bin consistency -- cluster --seconds 60 --faults` runs one
//! topology, and `-- all` prints the whole table.

mod faults;
mod run;
mod store;
mod table;

pub use run::{Setup, run};
pub use store::Topology;
pub use table::{HEAD, line};
