//! The steps of the contract as Redis commands, for whatever carries these to a server.
//!
//! [`Steps`] is a provider on top of a [`Link`], which knows servers, connections and redirections
//! and nothing of cells and marks. What the steps send and how they read the answers is all here,
//! once for Redis's own protocol and for REST, for one server and for a cluster.
//!
//! - `names`: where keys and marks lie. - `form`: what lies there.
//! - `scripts`: the steps that have to be atomic. - `reply`: answers, and refusals as errors.
//! - `listener`: names that changed, as what they stand for.
//! - `read`, `load`, `marks`, `holds`, `remove`, `replicate`, `sweep`, `scan`: the steps themselves.

mod form;
mod holds;
mod join;
mod link;
mod listener;
mod load;
mod marks;
mod names;
mod read;
mod remove;
mod replicate;
mod reply;
mod scan;
mod scripts;
mod steps;
mod sweep;
#[cfg(all(test, feature = "redis", feature = "upstash", feature = "conformance"))]
mod tests;

pub(crate) use form::Form;
#[cfg(feature = "redis")]
pub(crate) use join::join_all;
pub(crate) use link::{Answer, Batch, Bucket, Link, Reply, Sent};
pub(crate) use listener::Listener;
#[cfg(feature = "redis")]
pub(crate) use read::hit_answer;
#[cfg(feature = "redis")]
pub(crate) use reply::string_mark;
pub(crate) use steps::Steps;
