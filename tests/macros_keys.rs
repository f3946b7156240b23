//! `#[cache_keys]` and `#[derive(KeyPart)]` at compile time: odd programs that compile and run. Mistakes are in
//! `ui/mistakes.rs`.

// The programs stand for other crates, which have their own lint levels.
#![allow(missing_docs, unreachable_pub)]

#[path = "ui/keys/pass/conditional_keys.rs"]
pub mod conditional_keys;
#[path = "ui/keys/pass/derived_parts.rs"]
pub mod derived_parts;
#[path = "ui/keys/pass/everything_documented_and_warnings_denied.rs"]
pub mod everything_documented_and_warnings_denied;
#[path = "ui/keys/pass/from_macro_rules.rs"]
pub mod from_macro_rules;
#[path = "ui/keys/pass/globs_in_values_are_literal.rs"]
pub mod globs_in_values_are_literal;
#[path = "ui/keys/pass/integers_keep_templates_apart.rs"]
pub mod integers_keep_templates_apart;
#[path = "ui/keys/pass/keys_inside_functions.rs"]
pub mod keys_inside_functions;
#[path = "ui/keys/pass/keys_without_parameters_or_keys.rs"]
pub mod keys_without_parameters_or_keys;
#[path = "ui/keys/pass/names_that_could_collide.rs"]
pub mod names_that_could_collide;
#[path = "ui/keys/pass/paths_into_parameters.rs"]
pub mod paths_into_parameters;
#[path = "ui/keys/pass/renamed_dependency.rs"]
pub mod renamed_dependency;
#[path = "ui/keys/pass/ttl_and_tags_as_expressions.rs"]
pub mod ttl_and_tags_as_expressions;

/// The programs are modules of one binary, which links once instead of twelve times.
#[test]
fn every_program_is_in_this_binary() {
    let here = include_str!("macros_keys.rs");
    for entry in std::fs::read_dir("ui/keys/pass").expect("the programs") {
        let path = entry.expect("a program").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        assert!(here.contains(&format!("pub mod {name};")), "{name} is not in `macros_keys.rs`");
    }
}
