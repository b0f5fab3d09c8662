//! Access logs: a line per call, made from the stage's format, written in batches by a task of its own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use homeport_core::{Region, Timestamp};
use homeport_service::Needs;
use homeport_service::needs::LogLine;
use tokio::sync::mpsc;

/// Lines that may wait to be written; more are lost, and counted.
const MAX_WAITING: usize = 10_000;
/// Lines that are written at once.
const MAX_BATCH: usize = 1_000;
/// How long lines are gathered before they are written.
const GATHER: Duration = Duration::from_millis(200);
/// Bytes of a line.
const MAX_LINE: usize = 1 << 20;

/// A format such as `$context.identity.sourceIp $context.status`, cut into its pieces.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Format(Vec<Piece>);

#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// The name behind `$context.`.
    Variable(String),
}

impl Format {
    /// Cuts a format; what is no `$context` variable stays as it is.
    pub(super) fn compile(format: &str) -> Self {
        let mut pieces = Vec::new();
        let mut rest = format;
        while let Some((before, after)) = rest.split_once("$context.") {
            let name_byte = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b':');
            let end = after.bytes().position(|b| !name_byte(b)).unwrap_or(after.len());
            let name = after[..end].trim_end_matches(['.', ':', '-']);
            rest = &after[name.len()..];
            // A member whose name has other characters: `claims['custom:role']`.
            let quoted = rest.strip_prefix("['").and_then(|rest| rest.split_once("']"));
            let name = match quoted {
                Some((member, behind)) => {
                    rest = behind;
                    format!("{name}.{member}")
                }
                None => name.to_owned(),
            };
            pieces.push(Piece::Text(before.to_owned()));
            pieces.push(Piece::Variable(name));
        }
        pieces.push(Piece::Text(rest.to_owned()));
        pieces.retain(|piece| *piece != Piece::Text(String::new()));
        Self(pieces)
    }

    /// A line; a variable without a value is `-`, and control characters in values become spaces, so that a line
    /// stays one line.
    pub(super) fn line(&self, value: impl Fn(&str) -> Option<String>) -> String {
        let mut line = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => line.push_str(text),
                Piece::Variable(name) => match value(name) {
                    Some(value) => line.extend(value.chars().map(|c| if c.is_control() { ' ' } else { c })),
                    None => line.push('-'),
                },
            }
            if line.len() > MAX_LINE {
                line.truncate(line.floor_char_boundary(MAX_LINE));
                break;
            }
        }
        line
    }
}

/// A line and where it goes.
pub(super) struct Entry {
    pub(super) region: Region,
    pub(super) group: String,
    pub(super) stream: String,
    pub(super) at: Timestamp,
    pub(super) line: String,
}

/// The way to the task that writes.
pub(super) struct AccessLogs {
    sender: mpsc::Sender<Entry>,
    lost: AtomicU64,
}

impl AccessLogs {
    /// Starts the task; it ends when this is dropped.
    pub(super) fn start(needs: Arc<Needs>) -> Self {
        let (sender, receiver) = mpsc::channel(MAX_WAITING);
        tokio::spawn(write(needs, receiver));
        Self { sender, lost: AtomicU64::new(0) }
    }

    /// Hands over a line, without waiting.
    pub(super) fn put(&self, entry: Entry) {
        if self.sender.try_send(entry).is_err() {
            let lost = self.lost.fetch_add(1, Ordering::Relaxed) + 1;
            if lost.is_power_of_two() {
                tracing::warn!(
                    lost,
                    "access log lines of deployed APIs are lost: too many wait to be written"
                );
            }
        }
    }
}

async fn write(needs: Arc<Needs>, mut receiver: mpsc::Receiver<Entry>) {
    let mut entries = Vec::new();
    while receiver.recv_many(&mut entries, MAX_BATCH).await > 0 {
        tokio::time::sleep(GATHER).await;
        while entries.len() < MAX_BATCH
            && let Ok(entry) = receiver.try_recv()
        {
            entries.push(entry);
        }
        let mut by_stream: BTreeMap<(Region, String, String), Vec<LogLine>> = BTreeMap::new();
        for entry in entries.drain(..) {
            let lines = by_stream.entry((entry.region, entry.group, entry.stream)).or_default();
            lines.push(LogLine { at: entry.at, text: entry.line });
        }
        for ((region, group, stream), lines) in by_stream {
            let Some(put_log) = needs.put_log.get() else { continue };
            if let Err(error) = put_log.put_log(&region, &group, &stream, lines).await {
                tracing::warn!(%error, group, "access log lines of a deployed API were not written");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_found_and_filled_in() {
        let format =
            Format::compile("{\"ip\":\"$context.identity.sourceIp\", $context.status.$context.unknown}");
        let value = |name: &str| match name {
            "identity.sourceIp" => Some("10.0.0.1\n".to_owned()),
            "status" => Some("200".to_owned()),
            _ => None,
        };
        assert_eq!(format.line(value), "{\"ip\":\"10.0.0.1 \", 200.-}");
        let quoted = Format::compile("$context.authorizer.claims['custom:role'] $context.status['");
        let value = |name: &str| Some(format!("<{name}>"));
        assert_eq!(quoted.line(value), "<authorizer.claims.custom:role> <status>['");
        assert_eq!(Format::compile("plain $other").line(|_| None), "plain $other");
    }
}
