//! The targets over mutations of their seeds. `CACHE_TEST_LONG=1` runs ten million in all.

mod drive;

use cache_fuzzed::TARGETS;

macro_rules! properties {
    ($($name:ident)+) => {
        $(#[test]
        fn $name() {
            drive::run(&cache_fuzzed::$name::TARGET);
        })+

        #[test]
        fn every_target_is_run_and_fuzzed() {
            let names = [$(stringify!($name)),+];
            assert_eq!(TARGETS.map(|target| target.name), names);
            let long: u64 = TARGETS.iter().map(|target| target.long_runs).sum();
            assert!(long >= 10_000_000, "{long}");
            let manifest = include_str!("../../../fuzz/Cargo.toml");
            for name in names {
                assert!(manifest.contains(&format!("name = \"{name}\"\n")), "`{name}`");
            }
        }
    };
}

properties! { entries payloads templates replies environment urls patterns keys answers }
