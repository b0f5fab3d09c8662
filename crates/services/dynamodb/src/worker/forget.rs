//! Point-in-time recovery reaches back some days: versions of items from before are removed.

use homeport_core::Timestamp;
use homeport_store::{Direction, Key, KeyParts, Range, Store};

use super::PAGE;
use crate::error::DynamoError;
use crate::history::time_of;
use crate::records::{TABLES, numbered};
use crate::table::Table;

/// Versions that one transaction looks at.
const STEP: usize = 500;
const DAY_SECONDS: i64 = 24 * 60 * 60;

/// Removes what no table's recovery reaches any more.
pub(super) async fn all(store: &Store, now: Timestamp) -> Result<(), DynamoError> {
    let mut after = None;
    loop {
        let cursor = &after;
        let found = store
            .read(|tx| async move { TABLES.page(&tx, KeyParts::new(), cursor.as_deref(), PAGE).await })
            .await?;
        for table in &found.records {
            table_history(store, table, now).await?;
        }
        after = found.cursor;
        if after.is_none() {
            return Ok(());
        }
    }
}

async fn table_history(store: &Store, table: &Table, now: Timestamp) -> Result<(), DynamoError> {
    // While a job asks, it may ask as of the first moment.
    let idle = table.history.as_ref().filter(|history| history.asked_by.is_empty());
    let Some((history, recovery)) = idle.zip(table.recovery) else { return Ok(()) };
    let horizon = now.plus_seconds(-i64::from(recovery.days) * DAY_SECONDS).millis();
    let mut range = Range::prefix(&numbered(&table.id, history.number));
    loop {
        let stretch = &range;
        let last = store
            .write(|tx| async move {
                let page = tx.scan(stretch.clone(), Direction::Forward, STEP).await?;
                for row in page.rows.iter().filter(|row| time_of(row).is_some_and(|time| time < horizon)) {
                    tx.delete(&Key::from_row(&row.key))?;
                }
                Ok::<_, DynamoError>(page.rows.last().filter(|_| page.more).map(|row| row.key.clone()))
            })
            .await?;
        let Some(last) = last else { return Ok(()) };
        range = range.after(&last);
    }
}
