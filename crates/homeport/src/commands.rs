//! The command line. What a command is asked for goes to standard output, and nothing else.

mod audit;
mod backup;
mod ca;
mod coverage;
mod credentials;
mod demo;
mod env;
mod move_;
mod outbox;
mod pins;
mod restore;
mod runtimes;

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use serde_json::Value;
use tokio::runtime::Runtime;

use crate::args::{Arguments, AuditCommand, Command, KeyCommand, RuntimesCommand};
use crate::config::{Config, configuration_page};
use crate::environment::Environment;
use crate::error::ProgramError;
use crate::front_desk;
use crate::house::{For, House};
use crate::log;
use crate::moving::With;
use crate::office::{Action, Office};
use crate::serve;
use crate::server_file::ServerFile;

/// Runs one command.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, ProgramError> {
    match &arguments.command {
        Command::Version => return print(&format!("homeport {}\n", env!("CARGO_PKG_VERSION"))),
        Command::Configuration => return print(&configuration_page()),
        Command::Coverage => return coverage::run(),
        Command::Demo(asked) => return demo::run(asked),
        _ => {}
    }
    let environment = Environment::of_this_process();
    let config = Config::read(&arguments.sources(environment.variables().to_vec()))?;
    let asking = Asking { config, environment };
    match &arguments.command {
        Command::Serve(_) => {
            log::start(&asking.config);
            runtime_of_server()?.block_on(serve::serve(asking.config, asking.environment))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Credentials(asked) => credentials::run(&asking, asked),
        Command::Env => env::run(&asking),
        Command::Pins(asked) => pins::run(&asking, asked.format),
        Command::Ca => ca::run(&asking),
        Command::Outbox(asked) => outbox::run(&asking, asked),
        Command::Move(asked) => move_::run(&asking, asked),
        Command::Backup(asked) => backup::run(&asking, asked),
        Command::Restore(asked) => restore::run(&asking, asked),
        Command::Key { command: KeyCommand::Rotate } => rotate_key(&asking),
        Command::Audit { command: AuditCommand::Verify } => audit::verify(&asking),
        Command::Runtimes { command: RuntimesCommand::Install } => runtimes::install(&asking),
        Command::Version | Command::Configuration | Command::Coverage | Command::Demo(_) => {
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// As many workers as the machine has cores, with small stacks: they hold no deep recursion.
fn runtime_of_server() -> Result<Runtime, ProgramError> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_keep_alive(std::time::Duration::from_secs(5))
        .build()?)
}

/// Who asks an installation something.
pub(crate) struct Asking {
    config: Config,
    environment: Environment,
}

impl Asking {
    /// What places are opened with.
    fn with(&self) -> With<'_> {
        With { config: &self.config, environment: &self.environment }
    }

    /// The server that holds the data folder, if one says so.
    fn server(&self) -> Option<ServerFile> {
        ServerFile::read(&self.config.data.server_file())
    }

    /// Asks the running server, or opens the store: a database in any case, a folder where no server holds it.
    fn ask(&self, action: &Action) -> Result<Value, ProgramError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let ours = self.config.store.database.is_none() || matches!(action, Action::OutboxLink);
            if let Some(server) = self.server().filter(|_| ours)
                && let Some(answer) = front_desk::ask(&server, action).await?
            {
                return Ok(answer);
            }
            log::start(&self.config);
            let house = House::open(self.config.clone(), self.environment.clone(), For::Command).await?;
            Office::new(Arc::new(house), None).answer(action).await
        })
    }
}

fn rotate_key(asking: &Asking) -> Result<ExitCode, ProgramError> {
    let answer = asking.ask(&Action::RotateKey)?;
    let source = text(&answer, "source");
    print(&format!(
        "The data keys are wrapped under the new master key {} of {source}\n",
        text(&answer, "masterKey")
    ))
}

/// A member of an answer.
fn text<'a>(answer: &'a Value, name: &str) -> &'a str {
    answer[name].as_str().unwrap_or_default()
}

/// Prints; a reader that went away is no failure.
fn print(text: &str) -> Result<ExitCode, ProgramError> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(ExitCode::SUCCESS),
    }
}
