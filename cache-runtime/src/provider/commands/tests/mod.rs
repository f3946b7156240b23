//! The steps on a server, through a link that does nothing beside.

mod counts;
mod plain;
mod scans;
mod server;
mod steps;
mod suite;
mod sweeps;
