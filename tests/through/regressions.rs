#[path = "../regressions/failures.rs"]
mod failures;
#[path = "../regressions/invalidation.rs"]
mod invalidation;
#[path = "../regressions/macros.rs"]
mod macros;
#[path = "../regressions/stampede.rs"]
mod stampede;
#[path = "../regressions/tags.rs"]
mod tags;
