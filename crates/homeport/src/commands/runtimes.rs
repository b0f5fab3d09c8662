use std::process::ExitCode;

use homeport_lambda::runtimes;

use super::{Asking, print};
use crate::error::ProgramError;
use crate::machine::{runtimes_folder, search_path};

pub(super) fn install(asking: &Asking) -> Result<ExitCode, ProgramError> {
    let folder = runtimes_folder(&asking.config, &asking.environment);
    let search = search_path(&asking.environment);
    runtimes::install(&folder, &search, &mut |step| eprintln!("{step}"))?;
    print(&format!("{}\n", folder.display()))
}
