//! The behaviour, the loads and the regressions once more, for programs whose names tell the fixture
//! which store to take.

mod behaviour;
mod loads;
mod regressions;
