//! The invalidation protocol as a model, checked in every state that it can reach.
//!
//! A [model](explore::Model) is a set of parts that take atomic steps in any order: callers, writers,
//! servers, faults. [`explore`](explore::explore) visits every state that any order leads to, breadth
//! first, so that the first violation it finds has a shortest trace. The [`scenarios`] are pairs of a
//! configuration and what is expected of it: with all rules no promise is broken in any state, and
//! without one of them there is a counterexample.
//!
//! | module | what |
//! |---|---|
//! | [`protocol`] | one key and its marks, as `cache-runtime` treats them |
//! | [`removal`] | several names at once, holds, scans, functions that call one another |
//! | [`near`] | copies near their readers |
//! | [`shared_reads`] | one read for many callers |
//! | [`peers`] | ways to invalidate that others have |

#![allow(
    missing_docs,
    reason = "fields that say nothing besides their names; the package is not published"
)]

pub mod explore;
pub mod near;
pub mod peers;
pub mod protocol;
pub mod removal;
pub mod scenarios;
pub mod shared_reads;
