//! One load per key in this process, and who may take its result: join rule J.
//!
//! A caller that finds a load in flight may take its result only if its call came before that load
//! began, or if it joined before the store was asked to keep the result and the store answered
//! that the lease was still there and no tag had changed. Otherwise it starts over. Ordinary
//! single flight hands out values that were read before an invalidation that the caller had
//! already seen acknowledged (configurations B2 to B4 of the model).

mod came;
mod chain;
mod landing;
mod pulse;
mod table;

pub(crate) use came::Came;
pub(crate) use chain::{Chain, Entered, Waiting};
pub(crate) use landing::{Ending, Flight, Landing, Ticket};
pub(crate) use pulse::{Watch, polled};
pub(crate) use table::{Boarding, Flights};
