//! Commands as redis-rs packs them.

use std::fmt;

use ::redis::{Cmd, Pipeline};

use crate::provider::commands::Batch;

/// Commands for one server. A single one stays a single command, which is sent with one copy less
/// and answered without a list around it.
#[derive(Default)]
pub(crate) struct RedisBatch {
    commands: Commands,
    /// Whether an `ASKING` stands before each command.
    asking: bool,
}

#[derive(Default)]
pub(super) enum Commands {
    #[default]
    None,
    One(Cmd),
    Many(Pipeline),
}

impl RedisBatch {
    /// A batch of one command.
    pub(super) fn of(name: &'static str, words: &[&[u8]]) -> Self {
        let mut batch = Self::default();
        batch.command(name);
        for word in words {
            batch.arg(word);
        }
        batch
    }

    pub(super) fn commands(&self) -> &Commands {
        &self.commands
    }

    /// Whether an `ASKING` stands before each command, whose answers are nobody's business.
    pub(super) fn is_asking(&self) -> bool {
        self.asking
    }

    fn len(&self) -> usize {
        match &self.commands {
            Commands::None => 0,
            Commands::One(_) => 1,
            Commands::Many(commands) => commands.len(),
        }
    }

    /// The same commands, each after an `ASKING`: for a slot that is on its way to the server.
    pub(super) fn asking(&self) -> Self {
        let mut asking = Pipeline::with_capacity(2 * self.len());
        let mut add = |command: &Cmd| {
            asking.cmd("ASKING").add_command(command.clone());
        };
        match &self.commands {
            Commands::None => {}
            Commands::One(command) => add(command),
            Commands::Many(commands) => commands.cmd_iter().for_each(add),
        }
        Self { commands: Commands::Many(asking), asking: true }
    }
}

impl Batch for RedisBatch {
    fn command(&mut self, name: &'static str) -> &mut Self {
        // Enough for the usual command, so that nothing is moved while it grows.
        let mut command = Cmd::with_capacity(8, 256);
        command.arg(name);
        match &mut self.commands {
            Commands::None => self.commands = Commands::One(command),
            Commands::One(first) => {
                let mut commands = Pipeline::with_capacity(4);
                commands.add_command(std::mem::take(first)).add_command(command);
                self.commands = Commands::Many(commands);
            }
            Commands::Many(commands) => {
                commands.add_command(command);
            }
        }
        self
    }

    fn arg(&mut self, word: &[u8]) -> &mut Self {
        match &mut self.commands {
            Commands::None => {
                debug_assert!(false, "a word before the first command");
            }
            Commands::One(command) => {
                command.arg(word);
            }
            Commands::Many(commands) => {
                commands.arg(word);
            }
        }
        self
    }
}

/// Tells how many commands there are: what they hold may be nobody else's business.
impl fmt::Debug for RedisBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisBatch({} commands)", self.len())
    }
}
