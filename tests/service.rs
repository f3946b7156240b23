//! The public `Cache`: direct calls, options, bounds, statistics, events, and which cache is the
//! current one.

#[path = "service/bounds.rs"]
mod bounds;
#[path = "service/calls.rs"]
mod calls;
#[path = "service/current.rs"]
mod current;
#[path = "service/environment.rs"]
mod environment;
#[path = "service/events.rs"]
mod events;
#[path = "service/loads.rs"]
mod loads;
#[path = "service/options.rs"]
mod options;
#[path = "service/statistics.rs"]
mod statistics;
#[path = "service/unreachable.rs"]
mod unreachable;
