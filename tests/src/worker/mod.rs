//! Several processes on one store: the binary `cache-worker`, what it is told and what it answers.
//!
//! A worker makes its cache as any program does, from the environment, and uses nothing but the
//! public API. It takes orders as lines of JSON on its standard input, answers each with a line, and
//! ends with its input.

mod checker;
mod functions;
mod naive;
mod oracle;
mod orders;
mod peers;
mod process;
mod rules;
mod serve;
mod table;
mod times;
mod warnings;
mod watch;

pub use checker::{Subject, Verdict, check};
pub use functions::{Annotated, invalidate_items, item};
pub use naive::Naive;
pub use oracle::{Oracle, Row};
pub use orders::{Answer, Order, SubjectKind, What};
pub use peers::Peer;
pub use process::Worker;
pub use rules::{RULES, WITHOUT};
pub use serve::serve;
pub use table::SEATS;
pub use times::Times;
pub use watch::{Sight, Watch};
