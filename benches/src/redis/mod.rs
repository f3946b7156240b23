//! Hits on Redis over loopback: ours beside the bare client that sends the same commands, the bare
//! client's plain `GET`, and the crate `cached` with its Redis store.
//!
//! Everything lies on one server that the program starts itself; how to read what it writes is in
//! `REDIS.md`.

pub mod report;

pub mod breaker;
pub mod invalidation;
pub mod near;
pub mod rounds;

pub mod contestants;
pub mod ours;

pub mod bare;
pub mod peer;

pub mod profile;
pub mod server;
pub mod spin;
