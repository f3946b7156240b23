#[path = "../behaviour/arguments.rs"]
mod arguments;
#[path = "../behaviour/conditions.rs"]
mod conditions;
#[path = "../behaviour/helpers.rs"]
mod helpers;
#[path = "../behaviour/keys.rs"]
mod keys;
#[path = "../behaviour/methods.rs"]
mod methods;
#[path = "../behaviour/refresh.rs"]
mod refresh;
#[path = "../behaviour/stale.rs"]
mod stale;
#[path = "../behaviour/tags.rs"]
mod tags;
#[path = "../behaviour/times.rs"]
mod times;
#[path = "../behaviour/typed_keys.rs"]
mod typed_keys;
#[path = "../behaviour/writers.rs"]
mod writers;
