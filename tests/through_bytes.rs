//! The behaviour, the loads and the regressions once more, through the tier for stores outside the
//! process: over the byte-level provider in memory, on the same manual clock.

mod behaviour {
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
}

mod loads {
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
}

mod regressions {
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
}
