//! What lies in a real store is damaged: flipped, cut short, swapped, of another version, of another
//! type. Each is a miss that is counted, after which the next call hits: never an error, a panic or
//! a wrong value.

#[path = "damage/bits.rs"]
mod bits;
#[path = "damage/foreign.rs"]
mod foreign;
#[path = "damage/marks.rs"]
mod marks;
#[path = "damage/places.rs"]
mod places;
#[path = "damage/world.rs"]
mod world;
