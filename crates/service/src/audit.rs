use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use homeport_core::Timestamp;
use homeport_store::{Direction, Key, KeyParts, Page, Range, Store, StoreError, Tx};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The most bytes that CloudTrail keeps of a call's request parameters.
const MAX_PARAMETERS: usize = 100 * 1024;

/// One call as CloudTrail records it. Rows are appended in commit order and never changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AuditRow {
    /// `eventID`
    pub event_id: String,
    /// `eventTime`
    pub time: Timestamp,
    /// `eventSource`, such as `iam.amazonaws.com`
    pub event_source: String,
    /// `eventName`
    pub event_name: String,
    /// `awsRegion`
    pub region: String,
    /// `userIdentity`
    pub user_identity: Value,
    /// `sourceIPAddress`
    pub source_ip: String,
    /// `userAgent`
    pub user_agent: String,
    /// `requestParameters`, without members that the model marks sensitive.
    pub request_parameters: Value,
    /// `readOnly`
    pub read_only: bool,
    /// `requestID`
    pub request_id: String,
    /// How it ended.
    pub outcome: Outcome,
}

impl AuditRow {
    /// The row as it is kept: with parameters only where they are no longer than AWS keeps them (100 KB).
    #[must_use]
    pub fn bounded(mut self) -> Self {
        if serde_json::to_writer(Room(MAX_PARAMETERS), &self.request_parameters).is_err() {
            self.request_parameters = Value::from("(too large to record)");
        }
        self
    }
}

/// So many bytes may be written, and go nowhere.
struct Room(usize);

impl io::Write for Room {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How a recorded call ended.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub enum Outcome {
    /// It took effect.
    Done,
    /// It was refused: `errorCode` and `errorMessage`.
    Refused {
        /// AWS's code.
        code: String,
        /// AWS's message.
        message: String,
    },
}

/// The row of a call that may write: it rides in the first transaction that commits.
pub struct AuditTrail {
    row: AuditRow,
    recorded: AtomicBool,
}

impl AuditTrail {
    /// The trail of one call.
    pub fn new(row: AuditRow) -> Self {
        Self { row: row.bounded(), recorded: AtomicBool::new(false) }
    }

    /// Adds the row to this transaction, unless one that has it is committed.
    pub(crate) fn ride_in(&self, tx: &Tx) -> Result<(), StoreError> {
        if self.recorded.load(Ordering::SeqCst) { Ok(()) } else { append(tx, &self.row) }
    }

    pub(crate) fn committed(&self) {
        self.recorded.store(true, Ordering::SeqCst);
    }

    /// Whether a transaction that has the row is committed.
    pub fn is_recorded(&self) -> bool {
        self.recorded.load(Ordering::SeqCst)
    }

    /// The row, to be recorded otherwise: for calls that wrote nothing, and for refused ones.
    pub fn row(&self) -> &AuditRow {
        &self.row
    }
}

fn prefix() -> Key {
    Key::of("audit")
}

/// Appends a row at the end, in commit order.
pub fn append(tx: &Tx, row: &AuditRow) -> Result<(), StoreError> {
    let bytes = serde_json::to_vec(row)
        .map_err(|error| StoreError::BadRecord { collection: "audit", reason: error.to_string() })?;
    tx.put_stamped(&prefix(), KeyParts::new(), bytes)?;
    Ok(())
}

/// A page of raw rows, newest first, from before `before` (a row's key) on.
pub async fn rows(store: &Store, before: Option<Vec<u8>>, limit: usize) -> Result<Page, StoreError> {
    let whole = Range::prefix(&prefix());
    let range = match before {
        Some(before) => &whole.before(&before),
        None => &whole,
    };
    store.read(|tx| async move { tx.scan(range.clone(), Direction::Backward, limit).await }).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(parameters: Value) -> AuditRow {
        AuditRow {
            event_id: String::new(),
            time: Timestamp::default(),
            event_source: String::new(),
            event_name: String::new(),
            region: String::new(),
            user_identity: Value::Null,
            source_ip: String::new(),
            user_agent: String::new(),
            request_parameters: parameters,
            read_only: true,
            request_id: String::new(),
            outcome: Outcome::Done,
        }
    }

    #[test]
    fn a_row_has_a_bound_whatever_was_sent() {
        let longest = Value::from("x".repeat(MAX_PARAMETERS - 2));
        let kept = row(longest.clone()).bounded();
        assert_eq!(kept.request_parameters, longest);
        let cut = row(Value::from("x".repeat(MAX_PARAMETERS - 1))).bounded();
        assert_eq!(cut.request_parameters, "(too large to record)");
    }
}
