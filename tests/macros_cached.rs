//! `#[cached]` at compile time: odd programs that compile and run. Mistakes are in `ui/mistakes.rs`.

// The programs stand for other crates, which have their own lint levels.
#![allow(missing_docs, unreachable_pub)]
// They are odd on purpose.
#![allow(clippy::module_inception, clippy::multiple_bound_locations, clippy::ptr_arg)]

#[path = "ui/cached/pass/all_arguments.rs"]
pub mod all_arguments;
#[path = "ui/cached/pass/associated_functions.rs"]
pub mod associated_functions;
#[path = "ui/cached/pass/attributes_and_docs.rs"]
pub mod attributes_and_docs;
#[path = "ui/cached/pass/awkward_argument_names.rs"]
pub mod awkward_argument_names;
#[path = "ui/cached/pass/bodies_of_all_kinds.rs"]
pub mod bodies_of_all_kinds;
#[path = "ui/cached/pass/bodies_that_are_not_send.rs"]
pub mod bodies_that_are_not_send;
#[path = "ui/cached/pass/borrowed_arguments.rs"]
pub mod borrowed_arguments;
#[path = "ui/cached/pass/braces_as_placeholders.rs"]
pub mod braces_as_placeholders;
#[path = "ui/cached/pass/conditions_on_the_value.rs"]
pub mod conditions_on_the_value;
#[path = "ui/cached/pass/every_helper.rs"]
pub mod every_helper;
#[path = "ui/cached/pass/functions_in_functions.rs"]
pub mod functions_in_functions;
#[path = "ui/cached/pass/generic_functions.rs"]
pub mod generic_functions;
#[path = "ui/cached/pass/generic_impls.rs"]
pub mod generic_impls;
#[path = "ui/cached/pass/impl_trait_arguments.rs"]
pub mod impl_trait_arguments;
#[path = "ui/cached/pass/imports_bring_the_helpers.rs"]
pub mod imports_bring_the_helpers;
#[path = "ui/cached/pass/key_as_expression.rs"]
pub mod key_as_expression;
#[path = "ui/cached/pass/key_left_out.rs"]
pub mod key_left_out;
#[path = "ui/cached/pass/lent_to_a_detached_load.rs"]
pub mod lent_to_a_detached_load;
#[path = "ui/cached/pass/literal_brackets.rs"]
pub mod literal_brackets;
#[path = "ui/cached/pass/macro_rules_callers.rs"]
pub mod macro_rules_callers;
#[path = "ui/cached/pass/many_parameters.rs"]
pub mod many_parameters;
#[path = "ui/cached/pass/methods.rs"]
pub mod methods;
#[path = "ui/cached/pass/one_field_twice.rs"]
pub mod one_field_twice;
#[path = "ui/cached/pass/paths_into_parameters.rs"]
pub mod paths_into_parameters;
#[path = "ui/cached/pass/patterns_as_parameters.rs"]
pub mod patterns_as_parameters;
#[path = "ui/cached/pass/policies.rs"]
pub mod policies;
#[path = "ui/cached/pass/raw_identifiers.rs"]
pub mod raw_identifiers;
#[path = "ui/cached/pass/recursion.rs"]
pub mod recursion;
#[path = "ui/cached/pass/return_types.rs"]
pub mod return_types;
#[path = "ui/cached/pass/send_futures_stay_send.rs"]
pub mod send_futures_stay_send;
#[path = "ui/cached/pass/shadowed_prelude.rs"]
pub mod shadowed_prelude;
#[path = "ui/cached/pass/stacked_attributes.rs"]
pub mod stacked_attributes;
#[path = "ui/cached/pass/stale_with_borrowed_arguments.rs"]
pub mod stale_with_borrowed_arguments;
#[path = "ui/cached/pass/strict_callers.rs"]
pub mod strict_callers;
#[path = "ui/cached/pass/tag_expressions.rs"]
pub mod tag_expressions;
#[path = "ui/cached/pass/tags_from_result_and_arguments.rs"]
pub mod tags_from_result_and_arguments;
#[path = "ui/cached/pass/times_in_every_form.rs"]
pub mod times_in_every_form;

/// The programs are modules of one binary, which links once instead of forty times.
#[test]
fn every_program_is_in_this_binary() {
    let here = include_str!("macros_cached.rs");
    for entry in std::fs::read_dir("ui/cached/pass").expect("the programs") {
        let path = entry.expect("a program").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        assert!(here.contains(&format!("pub mod {name};")), "{name} is not in `macros_cached.rs`");
    }
}
