//! A store that is slow, dead or coming back costs a bounded delay and loses no invalidation.
//!
//! Time is a hand that the tests move, and background tasks run on the test's own thread, so each
//! run is the same.

#[path = "resilience/breaker.rs"]
mod breaker;
#[path = "resilience/callers.rs"]
mod callers;
#[path = "resilience/cancellation.rs"]
mod cancellation;
#[path = "resilience/conformance.rs"]
mod conformance;
#[path = "resilience/deadlines.rs"]
mod deadlines;
#[path = "resilience/hiding.rs"]
mod hiding;
#[path = "resilience/invalidations.rs"]
mod invalidations;
#[path = "resilience/limits.rs"]
mod limits;
#[path = "resilience/outage.rs"]
mod outage;
#[path = "resilience/retries.rs"]
mod retries;
#[path = "resilience/runtimes.rs"]
mod runtimes;
#[path = "resilience/scripted.rs"]
mod scripted;
#[path = "resilience/shutdown.rs"]
mod shutdown;
#[path = "resilience/world.rs"]
mod world;
