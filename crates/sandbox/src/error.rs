use std::io;

use crate::Tier;

/// Why no process stands confined.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// Tier 0: this machine gives less than the named minimum, so functions don't run.
    #[error("functions are refused on this machine: {0}")]
    Refused(String),
    /// The helper could not be started, or spoken with.
    #[error("the sandbox helper failed: {0}")]
    Helper(#[from] io::Error),
    /// A step of the confinement was refused by the system.
    #[error("{tier} could not be entered: {step}: {error}")]
    Step {
        /// The tier that was asked for.
        tier: Tier,
        /// What was being done.
        step: String,
        /// What the system said.
        error: String,
    },
    /// The helper didn't stand within the time it has (10 s).
    #[error("the sandbox helper did not answer in time")]
    TimedOut,
    /// The thread that starts processes is gone: the program is stopping.
    #[error("no more processes are started")]
    Stopped,
}
