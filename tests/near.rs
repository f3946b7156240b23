//! The near cache: when a copy is served, when the store is asked, and what ends a copy.

#[path = "near/asking.rs"]
mod asking;
#[path = "near/gate.rs"]
mod gate;
#[path = "near/office.rs"]
mod office;
#[path = "near/partition.rs"]
mod partition;
#[path = "near/settled.rs"]
mod settled;
#[path = "near/told.rs"]
mod told;
