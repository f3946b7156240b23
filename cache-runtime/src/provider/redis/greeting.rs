//! The first words on a connection: who we are, in which protocol and for which database.

use ::redis::{ServerError, Value};

use super::batch::RedisBatch;
use super::reply::words;
use super::url::Login;
use super::wire::Wire;
use crate::provider::commands::Batch;
use crate::{Error, ErrorKind, Result};

/// What a word of the greeting is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Password,
    Protocol,
    Database,
    /// Helps whoever looks at the server's list of clients. Not all servers know it.
    Name,
}

/// Logs in, with RESP3 if asked for, and chooses the database.
///
/// # Errors
///
/// [`Unavailable`](ErrorKind::Unavailable), with the address and the server's words. They hold no
/// password.
pub(super) async fn greet(wire: &Wire, login: &Login, database: u32, resp3: bool) -> Result<()> {
    let (batch, purposes) = greeting(login, database, resp3);
    let answers = wire.send(&batch).await.map_err(|error| {
        let message = format!("{} closed the connection while it was opened", wire.address());
        Error::new(ErrorKind::Unavailable, "redis", message).with_source(error)
    })?;
    for (purpose, answer) in purposes.into_iter().zip(answers) {
        match answer {
            Value::ServerError(error) if purpose != Purpose::Name => {
                return Err(refused(wire, purpose, &error));
            }
            _ => {}
        }
    }
    Ok(())
}

fn greeting(login: &Login, database: u32, resp3: bool) -> (RedisBatch, Vec<Purpose>) {
    let (mut batch, mut purposes) = (RedisBatch::default(), Vec::new());
    let username = login.username.as_ref().map(|username| username.expose());
    let password = login.password.as_ref().map(|password| password.expose());
    if resp3 {
        purposes.push(Purpose::Protocol);
        batch.command("HELLO").arg(b"3");
        if let Some(password) = password {
            let username = username.unwrap_or("default");
            batch.arg(b"AUTH").arg(username.as_bytes()).arg(password.as_bytes());
        }
    } else if let Some(password) = password {
        purposes.push(Purpose::Password);
        batch.command("AUTH");
        if let Some(username) = username {
            batch.arg(username.as_bytes());
        }
        batch.arg(password.as_bytes());
    }
    if database != 0 {
        purposes.push(Purpose::Database);
        batch.command("SELECT").arg(database.to_string().as_bytes());
    }
    for (name, value) in [("LIB-NAME", "cache-runtime"), ("LIB-VER", env!("CARGO_PKG_VERSION"))] {
        purposes.push(Purpose::Name);
        batch.command("CLIENT").arg(b"SETINFO").arg(name.as_bytes()).arg(value.as_bytes());
    }
    (batch, purposes)
}

fn refused(wire: &Wire, purpose: Purpose, error: &ServerError) -> Error {
    let address = wire.address();
    let is_unknown = match purpose {
        Purpose::Password => true,
        _ => matches!(error.code(), "WRONGPASS" | "NOAUTH"),
    };
    let message = match is_unknown {
        true => format!(
            "{address} refused the user name or the password; look at the URL of Redis (`REDIS_URL`)"
        ),
        false => format!("{address} did not take the connection: {}", words(error)),
    };
    Error::new(ErrorKind::Unavailable, "redis", message)
}

#[cfg(test)]
mod tests {
    use super::greeting;
    use crate::Secret;
    use crate::provider::redis::url::Login;

    fn said(username: Option<&str>, password: Option<&str>, database: u32, resp3: bool) -> String {
        let secret = |text: &str| Secret::new(text);
        let login = Login { username: username.map(secret), password: password.map(secret) };
        let (batch, purposes) = greeting(&login, database, resp3);
        assert_eq!(purposes.len(), batch.answers());
        let text = String::from_utf8(batch.pack().bytes().to_vec()).expect("plain words");
        let words: Vec<&str> = text.split("\r\n").filter(|word| !word.starts_with('$')).collect();
        words.join(" ")
    }

    #[test]
    fn a_greeting_says_what_is_needed_and_no_more() {
        let name = format!(
            "*4 CLIENT SETINFO LIB-NAME cache-runtime *4 CLIENT SETINFO LIB-VER {} ",
            env!("CARGO_PKG_VERSION")
        );
        for (words, username, password, database, resp3) in [
            ("", None, None, 0, false),
            ("*2 AUTH pass *2 SELECT 3 ", None, Some("pass"), 3, false),
            ("*3 AUTH user pass ", Some("user"), Some("pass"), 0, false),
            ("*2 HELLO 3 ", None, None, 0, true),
            ("*5 HELLO 3 AUTH default pass *2 SELECT 1 ", None, Some("pass"), 1, true),
            ("*5 HELLO 3 AUTH user pass ", Some("user"), Some("pass"), 0, true),
        ] {
            assert_eq!(said(username, password, database, resp3), format!("{words}{name}"));
        }
    }
}
