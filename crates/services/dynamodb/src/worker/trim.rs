//! Stream records are kept for a day (Developer Guide, "Change data capture for DynamoDB Streams").

use homeport_core::Timestamp;
use homeport_store::{Direction, Key, KeyParts, Range, Store, StoreError};

use super::PAGE;
use crate::error::DynamoError;
use crate::records::{Change, POLICIES, STREAMS, stream_records};

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
            let mut rest = Some(Range::prefix(&stream_records(&stream.id)));
            while let Some(range) = rest {
                rest = step(store, range, horizon).await?;
            }
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

/// Removes the oldest records of the stretch, as far as they are over; what may be left lies behind them.
async fn step(store: &Store, range: Range, horizon: Timestamp) -> Result<Option<Range>, DynamoError> {
    let stretch = &range;
    let last = store
        .write(|tx| async move {
            let page = tx.scan(stretch.clone(), Direction::Forward, STEP).await?;
            for row in &page.rows {
                if Change::decode(&row.value)?.at >= horizon {
                    return Ok(None);
                }
                tx.delete(&Key::from_row(&row.key))?;
            }
            Ok::<_, DynamoError>(page.rows.into_iter().next_back().filter(|_| page.more))
        })
        .await?;
    Ok(last.map(|last| range.after(&last.key)))
}
