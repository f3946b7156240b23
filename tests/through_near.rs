//! Through a near cache that is told of changes.

mod through;
