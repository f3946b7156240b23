//! From tokens to raw specifications, spans kept.

mod args;
#[cfg(test)]
mod args_tests;
mod function;
mod surroundings;
mod time;

pub(crate) use crate::model::Function;
pub(crate) use args::parse_cached;
pub(crate) use surroundings::{Surroundings, surroundings_of_caller};
pub(crate) use time::{TIME_HELP, parse_time};
