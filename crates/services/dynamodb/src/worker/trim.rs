//! Stream records are kept for a day (Developer Guide, "Change data capture for DynamoDB Streams").

use homeport_core::Timestamp;
use homeport_store::{Direction, Key, KeyParts, Range, Store, StoreError};

use super::PAGE;
use crate::error::DynamoError;
use crate::records::{Change, POLICIES, STREAMS, StreamRecord, stream_records};

/// Records that one transaction looks at.
const STEP: usize = 500;
/// How long a record is kept.
pub(crate) const KEPT_SECONDS: i64 = 24 * 60 * 60;

/// Removes records of more than a day ago, and streams that ended then.
pub(super) async fn streams(store: &Store, now: Timestamp) -> Result<(), DynamoError> {
    let horizon = now.plus_seconds(-KEPT_SECONDS);
    let mut after = None;
    loop {
        let cursor = &after;
        let found = store
            .read(|tx| async move { STREAMS.page(&tx, KeyParts::new(), cursor.as_deref(), PAGE).await })
            .await?;
        for stream in &found.records {
            while step(store, stream, horizon).await? {}
            if stream.ended.is_some_and(|ended| ended < horizon) {
                store.sweep(&stream_records(&stream.id)).await?;
                let (key, arn) = (&homeport_store::Record::key(stream), &stream.arn());
                store
                    .write(|tx| async move {
                        STREAMS.delete(&tx, key).await?;
                        POLICIES.delete(&tx, arn.as_str()).await?;
                        Ok::<_, StoreError>(())
                    })
                    .await?;
            }
        }
        after = found.cursor;
        if after.is_none() {
            return Ok(());
        }
    }
}

/// Removes the oldest records, as far as they are over; true while there may be more.
async fn step(store: &Store, stream: &StreamRecord, horizon: Timestamp) -> Result<bool, DynamoError> {
    let range = &Range::prefix(&stream_records(&stream.id));
    store
        .write(|tx| async move {
            let page = tx.scan(range.clone(), Direction::Forward, STEP).await?;
            for row in &page.rows {
                if Change::decode(&row.value)?.at >= horizon {
                    return Ok(false);
                }
                tx.delete(&Key::from_row(&row.key))?;
            }
            Ok(page.more)
        })
        .await
}
