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

use cache_tests::servers::RedisServer;

/// What no message may hold. It stands in every URL and token that can hold a secret.
const SECRET: &str = "hunter2";

/// What `init` made of these variables alone; checked for secrets.
fn init(variables: &[(&str, &str)]) -> String {
    probe("init", variables)
}

/// What the probe told in a mode; checked for secrets.
fn probe(mode: &str, variables: &[(&str, &str)]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_environment_probe"))
        .arg(mode)
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

/// To whoever calls, a wrong password looks like an outage: functions run. The one line of the log that
/// tells of it says what it is.
#[test]
fn the_warning_that_functions_run_uncached_says_why() {
    let server = RedisServer::builder().password("right").start();
    let nobody = "redis://127.0.0.1:1/".to_owned();
    let stranger = format!("redis://:{SECRET}@{}/", server.address());
    for (url, reason) in [
        (&nobody, "cannot connect to 127.0.0.1:1: Connection refused"),
        (
            &stranger,
            "refused the user name or the password; look at the URL of Redis (`REDIS_URL`)",
        ),
    ] {
        let variables = [("CACHE_PROVIDER", "redis"), ("REDIS_URL", url), ("CACHE_TIMEOUT", "5s")];
        let text = probe("first-use", &variables);
        assert!(text.contains("loads 3"), "{text}");
        let warnings: Vec<&str> = text.lines().filter(|line| line.starts_with("WARN")).collect();
        assert_eq!(warnings.len(), 1, "{text}");
        assert!(warnings[0].contains("functions run uncached"), "{text}");
        assert!(warnings[0].contains(reason), "{text}");
    }
}
