#[path = "../loads/context.rs"]
mod context;
#[path = "../loads/endings.rs"]
mod endings;
#[path = "../loads/expired.rs"]
mod expired;
#[path = "../loads/nesting.rs"]
mod nesting;
#[path = "../loads/sharing.rs"]
mod sharing;
#[path = "../loads/source.rs"]
mod source;
