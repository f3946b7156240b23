//! `#[invalidates]` and `#[write_through]` at compile time: odd programs that compile and run. Mistakes are in
//! `ui/mistakes.rs`.

// The programs stand for other crates, which have their own lint levels.
#![allow(missing_docs, unreachable_pub)]

#[path = "ui/writes/pass/beside_other_attributes.rs"]
pub mod beside_other_attributes;
#[path = "ui/writes/pass/every_form_of_target.rs"]
pub mod every_form_of_target;
#[path = "ui/writes/pass/from_macro_rules.rs"]
pub mod from_macro_rules;
#[path = "ui/writes/pass/functions_inside_functions.rs"]
pub mod functions_inside_functions;
#[path = "ui/writes/pass/futures_stay_send.rs"]
pub mod futures_stay_send;
#[path = "ui/writes/pass/generics_and_lifetimes.rs"]
pub mod generics_and_lifetimes;
#[path = "ui/writes/pass/methods_of_traits.rs"]
pub mod methods_of_traits;
#[path = "ui/writes/pass/methods_with_every_receiver.rs"]
pub mod methods_with_every_receiver;
#[path = "ui/writes/pass/moved_and_destructured_parameters.rs"]
pub mod moved_and_destructured_parameters;
#[path = "ui/writes/pass/names_that_could_collide.rs"]
pub mod names_that_could_collide;
#[path = "ui/writes/pass/returned_types.rs"]
pub mod returned_types;

/// The programs are modules of one binary, which links once instead of eleven times.
#[test]
fn every_program_is_in_this_binary() {
    let here = include_str!("macros_writes.rs");
    for entry in std::fs::read_dir("ui/writes/pass").expect("the programs") {
        let path = entry.expect("a program").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        assert!(here.contains(&format!("pub mod {name};")), "{name} is not in `macros_writes.rs`");
    }
}
