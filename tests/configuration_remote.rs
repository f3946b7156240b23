//! What is wrong with the configuration of a store outside the process is said by `init`, with the
//! variable and the fix; and no message and no `Debug` holds any part of a secret.
//!
//! The environment belongs to the whole process, so each case runs in a process of its own: the
//! program `environment_probe`.

#[path = "configuration_remote/secrets.rs"]
mod secrets;
#[path = "configuration_remote/variables.rs"]
mod variables;

use std::process::Command;

/// What no message may hold. It stands in every URL and token that can hold a secret.
const SECRET: &str = "hunter2";

/// What `init` made of these variables alone; checked for secrets.
fn init(variables: &[(&str, &str)]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_environment_probe"))
        .arg("init")
        .env_clear()
        .envs(variables.iter().copied())
        .output()
        .expect("the probe runs");
    let text = String::from_utf8(output.stdout).expect("the probe prints text");
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{variables:?}: {text}{complaints}");
    holds_no_secret(&text);
    holds_no_secret(&complaints);
    text
}

fn holds_no_secret(text: &str) {
    assert!(!text.to_lowercase().contains("hunter"), "a secret was told: {text}");
}

/// Checks that `init` refuses these variables, with a message that has all these parts.
fn refuses(variables: &[(&str, &str)], parts: &[&str]) {
    let text = init(variables);
    assert!(text.starts_with("error Config "), "{variables:?}: {text}");
    for part in parts {
        assert!(text.contains(part), "{variables:?}: no `{part}` in {text}");
    }
}

/// Checks that `init` takes these variables. Nothing is connected before it is needed.
fn takes(variables: &[(&str, &str)]) {
    let text = init(variables);
    assert!(text.starts_with("ok "), "{variables:?}: {text}");
}
