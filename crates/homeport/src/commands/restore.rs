use std::process::ExitCode;

use super::{Asking, print};
use crate::args::RestoreArguments;
use crate::error::ProgramError;
use crate::log;
use crate::moving::{Place, Progress, restore};
use crate::randomness::OsRandomness;

pub(super) fn run(asking: &Asking, asked: &RestoreArguments) -> Result<ExitCode, ProgramError> {
    let to = Place::of(&asking.config)?;
    log::start(&asking.config);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut progress = Progress::on_standard_error();
    let kept = runtime.block_on(restore(&asked.file, &to, &asking.with(), &OsRandomness, &mut progress))?;
    let (rows, blobs, bytes, taken) = (kept.rows, kept.blobs.blobs, kept.blobs.bytes, kept.taken);
    print(&format!(
        "{to} is as of {taken}: {rows} rows and {blobs} blobs ({bytes} bytes).\n\
         The master key is not in a backup: put the one that was in use then in its place.\n"
    ))
}
