use std::time::Duration;

use bytes::Bytes;
use homeport_core::Timestamp;
use homeport_sandbox::Exit;
use serde_json::json;

/// How an invocation ended.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// The answer, or the error object.
    pub(crate) payload: Bytes,
    /// Whether the function failed.
    pub(crate) failed: bool,
    /// The last 4 KB of its log, where they were asked for.
    pub(crate) tail: Option<String>,
    end: End,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    Answered,
    Failed,
    Exited { reason: String, kind: &'static str },
    TimedOut(Duration),
}

impl Outcome {
    pub(super) fn answered(payload: Bytes) -> Self {
        Self { payload, failed: false, tail: None, end: End::Answered }
    }

    /// The handler failed, or the code couldn't be loaded: the runtime told how.
    pub(super) fn failed(payload: Bytes) -> Self {
        Self { payload, failed: true, tail: None, end: End::Failed }
    }

    /// The process ended.
    pub(super) fn exited(id: &str, exit: &Exit) -> Self {
        let kind = if exit.out_of_memory { "Runtime.OutOfMemory" } else { "Runtime.ExitError" };
        let reason = match (&exit.failed, exit.status) {
            (Some(failed), _) => format!("Runtime could not be started: {failed}"),
            (None, 0) => "Runtime exited without providing a reason".to_owned(),
            (None, status) if status > 128 => {
                format!("Runtime exited with error: signal: {}", signal(status - 128))
            }
            (None, status) => format!("Runtime exited with error: exit status {status}"),
        };
        let payload = json!({
            "errorType": kind,
            "errorMessage": format!("RequestId: {id} Error: {reason}"),
        });
        Self {
            payload: payload.to_string().into(),
            failed: true,
            tail: None,
            end: End::Exited { reason, kind },
        }
    }

    pub(super) fn timed_out(id: &str, after: Duration) -> Self {
        let message =
            format!("RequestId: {id} Error: Task timed out after {:.2} seconds", after.as_secs_f64());
        let payload = json!({"errorType": "Sandbox.Timedout", "errorMessage": message});
        Self { payload: payload.to_string().into(), failed: true, tail: None, end: End::TimedOut(after) }
    }

    pub(super) fn ends_environment(&self) -> bool {
        matches!(self.end, End::Exited { .. } | End::TimedOut(_))
    }

    /// What the log says of it before END.
    pub(super) fn log_lines(&self, id: &str, now: Timestamp) -> Vec<String> {
        match &self.end {
            End::Answered | End::Failed => Vec::new(),
            End::Exited { reason, kind } => {
                vec![format!("RequestId: {id} Error: {reason}"), (*kind).to_owned()]
            }
            End::TimedOut(after) => {
                vec![format!("{now} {id} Task timed out after {:.2} seconds", after.as_secs_f64())]
            }
        }
    }

    /// What REPORT ends with.
    pub(super) fn status(&self) -> String {
        match &self.end {
            End::Answered | End::Failed => String::new(),
            End::Exited { kind, .. } => format!("Status: error\tError Type: {kind}"),
            End::TimedOut(_) => "Status: timeout".to_owned(),
        }
    }
}

fn signal(number: i32) -> String {
    match number {
        6 => "aborted".to_owned(),
        9 => "killed".to_owned(),
        11 => "segmentation fault".to_owned(),
        15 => "terminated".to_owned(),
        other => other.to_string(),
    }
}
