use std::process::ExitCode;

use super::{Asking, print, text};
use crate::args::OutboxArguments;
use crate::error::ProgramError;
use crate::office::Action;
use crate::outbox::{Asked, Opened};

/// How many messages are printed where not only the newest is asked for.
const PRINTED: usize = 100;

pub(super) fn run(asking: &Asking, asked: &OutboxArguments) -> Result<ExitCode, ProgramError> {
    if asked.link {
        let link = asking.ask(&Action::OutboxLink)?;
        return print(&format!("{}\n", text(&link, "url")));
    }
    let most = if asked.last { 1 } else { PRINTED };
    let question = Asked { to: asked.to.clone(), pool: asked.pool.clone(), most };
    let answer = asking.ask(&Action::Outbox(question))?;
    let messages: Vec<Opened> =
        serde_json::from_value(answer).map_err(|error| ProgramError::Server(error.to_string()))?;
    if asked.code {
        // The newest that has one: a message without a code says nothing that a script waits for.
        let Some(code) = messages.iter().find_map(|message| message.code.as_ref()) else {
            return Ok(ExitCode::FAILURE);
        };
        return print(&format!("{code}\n"));
    }
    let printed: Vec<String> = messages.iter().rev().map(Opened::to_string).collect();
    print(&printed.join("\n"))
}
