use std::process::ExitCode;

use super::{Asking, print, text};
use crate::error::ProgramError;
use crate::office::Action;

pub(super) fn verify(asking: &Asking) -> Result<ExitCode, ProgramError> {
    let verdict = asking.ask(&Action::VerifyAudit)?;
    if let Some(link) = verdict["brokenLink"].as_u64() {
        let until = text(&verdict, "until");
        print(&format!("BROKEN: link {link} doesn't fit its rows; they are from before {until}\n"))?;
        return Ok(ExitCode::FAILURE);
    }
    let (rows, unlinked) = (&verdict["rows"], &verdict["unlinked"]);
    print(&format!(
        "The audit trail is whole: {rows} rows in the chain, {unlinked} newer ones not in it yet\n"
    ))
}
