use homeport_core::{BoxFuture, Region, Timestamp};
use homeport_store::StoreError;

/// One line for CloudWatch Logs, at most 1 MiB (longer ones are cut).
#[derive(Clone, Debug)]
pub struct LogLine {
    /// When it was said.
    pub at: Timestamp,
    /// The text.
    pub text: String,
}

/// Lines → a log stream, which is made, with its group, where it is missing.
pub trait PutLog: Send + Sync {
    /// Appends lines in order; they are durable when this returns.
    fn put_log<'a>(
        &'a self,
        region: &'a Region,
        group: &'a str,
        stream: &'a str,
        lines: Vec<LogLine>,
    ) -> BoxFuture<'a, Result<(), StoreError>>;
}
