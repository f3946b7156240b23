//! Through the tier for stores outside the process: over the byte-level provider in memory, on the
//! same manual clock.

mod through;
