//! Through a near cache that asks at each hit whether its copy is current.

mod through;
