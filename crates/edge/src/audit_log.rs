use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use homeport_core::Timestamp;
use homeport_service::{AuditRow, append_audit};
use homeport_store::{Store, StoreError};
use tokio::sync::mpsc;

/// Rows that may wait to be written; more are counted as lost.
const WAITING: usize = 4_096;
/// Rows that are written in one transaction.
const BATCH: usize = 256;
/// Kinds of anonymous refusals that are told apart in one minute; the rest count as one kind.
const KINDS: usize = 512;

/// The rows of calls that changed nothing: reads and refusals, written through a bounded batch (security
/// decision 29). Of anonymous refusals only one a minute and kind is recorded; the others are counted.
pub(crate) struct AuditLog {
    sender: mpsc::Sender<AuditRow>,
    lost: Arc<AtomicU64>,
    anonymous: Mutex<Anonymous>,
}

#[derive(Default)]
struct Anonymous {
    minute: i64,
    counts: HashMap<(String, String), u64>,
}

impl AuditLog {
    /// Starts the batch's writer, which ends when the log is dropped.
    pub(crate) fn start(store: Store) -> Self {
        let (sender, receiver) = mpsc::channel(WAITING);
        let lost = Arc::new(AtomicU64::new(0));
        tokio::spawn(write_batches(store, receiver, lost.clone()));
        Self { sender, lost, anonymous: Mutex::default() }
    }

    /// Records a row soon; never waits.
    pub(crate) fn record(&self, row: AuditRow) {
        if self.sender.try_send(row.bounded()).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Records a refusal of a caller that nobody knows, if it is the first of its kind in this minute.
    pub(crate) fn record_anonymous(&self, row: AuditRow) {
        if self.is_first_of_its_kind(row.time, &row.event_source, &row.event_name) {
            self.record(row);
        }
    }

    /// Rows that were not recorded because too many waited.
    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    fn is_first_of_its_kind(&self, at: Timestamp, source: &str, name: &str) -> bool {
        let mut anonymous = self.anonymous.lock().unwrap_or_else(PoisonError::into_inner);
        let minute = at.seconds().div_euclid(60);
        if anonymous.minute != minute {
            let passed: u64 = anonymous.counts.values().map(|count| count - 1).sum();
            if passed > 0 {
                tracing::info!(refusals = passed, "further anonymous calls were refused in the last minute");
            }
            *anonymous = Anonymous { minute, counts: HashMap::new() };
        }
        let full = anonymous.counts.len() >= KINDS;
        let kind = if full { (String::new(), String::new()) } else { (source.to_owned(), name.to_owned()) };
        let count = anonymous.counts.entry(kind).or_insert(0);
        *count += 1;
        *count == 1
    }
}

async fn write_batches(store: Store, mut receiver: mpsc::Receiver<AuditRow>, lost: Arc<AtomicU64>) {
    let mut rows = Vec::with_capacity(BATCH);
    while receiver.recv_many(&mut rows, BATCH).await > 0 {
        let batch = Arc::new(std::mem::take(&mut rows));
        let count = batch.len() as u64;
        if let Err(error) = write(&store, batch).await {
            lost.fetch_add(count, Ordering::Relaxed);
            tracing::error!(%error, rows = count, "audit rows were lost");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn write(store: &Store, batch: Arc<Vec<AuditRow>>) -> Result<(), StoreError> {
    store
        .write(move |tx| {
            let batch = batch.clone();
            async move { batch.iter().try_for_each(|row| append_audit(&tx, row)) }
        })
        .await
}
