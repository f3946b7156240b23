//! What the parsers of the cache have to keep, whatever bytes they are given.
//!
//! Each target is one function over bytes, which panics if something does not hold. The fuzzer calls
//! it with bytes that it grows by coverage (`fuzz/`), and the seeded tests here with mutations of
//! valid seeds.

#![allow(clippy::missing_panics_doc, reason = "to panic is what a target is for")]

pub mod answers;
pub mod entries;
pub mod environment;
pub mod keys;
pub mod patterns;
pub mod payloads;
pub mod replies;
pub mod templates;
pub mod urls;

mod source;
// A macro crate exports nothing but macros, so the grammar is compiled here once more.
#[path = "../../../cache-macros/src/template/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "the targets use a part of it")]
mod template;

/// A function over bytes that panics if something does not hold, and what to try it with.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// What the test and the fuzz target are called.
    pub name: &'static str,
    /// What has to hold.
    pub body: fn(&[u8]),
    /// Bytes that lead far into it.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Words of its language.
    pub words: &'static [&'static [u8]],
    /// How many runs there are in each test.
    pub runs: u64,
    /// How many there are in a long one, `CACHE_TEST_LONG=1`.
    pub long_runs: u64,
}

/// Every target.
pub const TARGETS: [Target; 9] = [
    entries::TARGET,
    payloads::TARGET,
    templates::TARGET,
    replies::TARGET,
    environment::TARGET,
    urls::TARGET,
    patterns::TARGET,
    keys::TARGET,
    answers::TARGET,
];
