use std::process::ExitCode;

use super::{Asking, print};
use crate::args::MoveArguments;
use crate::error::ProgramError;
use crate::log;
use crate::moving::{Place, Progress, Purpose, move_all};
use crate::randomness::OsRandomness;

pub(super) fn run(asking: &Asking, asked: &MoveArguments) -> Result<ExitCode, ProgramError> {
    let from = Place::parse(&asked.from, asked.from_blobs.as_deref(), "--from-blobs")?;
    let to = Place::parse(&asked.to, asked.to_blobs.as_deref(), "--to-blobs")?;
    log::start(&asking.config);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let moved = runtime.block_on(async {
        let source = from.open(Purpose::Source, &asking.with()).await?;
        let target = to.open(Purpose::Target, &asking.with()).await?;
        move_all(&source, &target, &OsRandomness, &mut Progress::on_standard_error()).await
    })?;
    let (rows, blobs, bytes, sha256) = (moved.rows, moved.blobs.blobs, moved.blobs.bytes, moved.sha256);
    print(&format!(
        "{to} holds what {from} holds: {rows} rows (SHA-256 {sha256}) and {blobs} blobs ({bytes} bytes), compared.\n\
         {from} is as it was. The master key was not moved: {to} is opened with the same one.\n"
    ))
}
