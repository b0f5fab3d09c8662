use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use homeport_core::SharedClock;
use serde_json::Value;
use tokio::time::sleep;

use super::{Asking, print};
use crate::args::BackupArguments;
use crate::clock::SystemClock;
use crate::error::ProgramError;
use crate::master_key::KeySource;
use crate::moving::{Beside, Kept, Place, Progress, Purpose, back_up, partial_of};
use crate::office::Action;
use crate::randomness::OsRandomness;
use crate::{front_desk, log};

/// How often it is looked how far the server is.
const LOOK_EVERY: Duration = Duration::from_millis(250);

pub(super) fn run(asking: &Asking, asked: &BackupArguments) -> Result<ExitCode, ProgramError> {
    let file = std::path::absolute(&asked.file)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let kept = runtime.block_on(async {
        match by_server(asking, &file).await? {
            Some(kept) => Ok(kept),
            None => by_oneself(asking, &file).await,
        }
    })?;
    let (rows, blobs, bytes, taken) = (kept.rows, kept.blobs.blobs, kept.blobs.bytes, kept.taken);
    let key = KeySource::find(&asking.config, &asking.environment);
    let key = key.map_or_else(|_| "the key".to_owned(), |key| key.name());
    print(&format!(
        "{} is as of {taken}: {rows} rows and {blobs} blobs ({bytes} bytes).\n\
         The master key is not in it: keep {key} too, and elsewhere.\n",
        file.display()
    ))
}

/// The server that holds a folder writes the file itself.
async fn by_server(asking: &Asking, file: &Path) -> Result<Option<Kept>, ProgramError> {
    let place = Place::of(&asking.config)?;
    let Some(server) = asking.server().filter(|_| !place.is_shared()) else { return Ok(None) };
    let action = Action::Backup { file: file.to_owned() };
    let mut answer = std::pin::pin!(front_desk::ask(&server, &action));
    let mut progress = Progress::on_standard_error();
    let partial: Option<PathBuf> = partial_of(file);
    let answer = loop {
        tokio::select! {
            answer = &mut answer => break answer?,
            () = sleep(LOOK_EVERY) => {
                let written = partial.as_ref().and_then(|partial| std::fs::metadata(partial).ok());
                progress.server_writes(written.map_or(0, |file| file.len()));
            }
        }
    };
    progress.end();
    let kept = |answer: Value| {
        serde_json::from_value(answer).map_err(|error| ProgramError::Server(error.to_string()))
    };
    answer.map(kept).transpose()
}

async fn by_oneself(asking: &Asking, file: &Path) -> Result<Kept, ProgramError> {
    log::start(&asking.config);
    let place = Place::of(&asking.config)?;
    let beside = if place.is_shared() { Beside::Nodes } else { Beside::Nobody };
    let clock: SharedClock = Arc::new(SystemClock);
    let opened = place.open(Purpose::Source, &asking.with()).await?;
    let mut progress = Progress::on_standard_error();
    Ok(back_up(&opened, file, beside, &clock, &OsRandomness, &mut progress).await?)
}
