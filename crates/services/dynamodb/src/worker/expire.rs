//! Time to live: removing items whose second has come.

use std::collections::HashMap;

use bytes::Bytes;
use homeport_core::{SharedClock, Timestamp};
use homeport_store::{Direction, Key, KeyParts, Part, Range, Row, Store, Tx};

use super::{PAGE, STEPS, note};
use crate::error::DynamoError;
use crate::expiry::{expired_by, expires_at};
use crate::items::{Occasion, OpenTable};
use crate::records::{EXPIRING, Expiring, TABLES};
use crate::value::decode_stored;

/// Items that one transaction removes.
const STEP: usize = 25;

/// How far each table is, by its id: the last row that was looked at. From the beginning, each step would walk over the
/// traces of all that were removed before.
type Reached = HashMap<String, Bytes>;

/// Removes what has expired in all tables.
pub(super) async fn all(store: &Store, clock: &SharedClock) -> Result<(), DynamoError> {
    let mut reached = Reached::new();
    while some(store, clock, &mut reached).await? {}
    Ok(())
}

/// Removes some of each table, so that none waits for another's end; true while there is more.
async fn some(store: &Store, clock: &SharedClock, reached: &mut Reached) -> Result<bool, DynamoError> {
    let (mut after, mut more) = (None, false);
    loop {
        let cursor = &after;
        let found = store
            .read(|tx| async move { EXPIRING.page(&tx, KeyParts::new(), cursor.as_deref(), PAGE).await })
            .await?;
        for expiring in &found.records {
            // A table that can't be cleared must not keep others from it.
            let last = reached.entry(expiring.table.id.clone()).or_default();
            let done = table(store, expiring, clock, last).await.map(|goes_on| more |= goes_on);
            note(&expiring.table.name, done);
        }
        after = found.cursor;
        if after.is_none() {
            return Ok(more);
        }
    }
}

async fn table(
    store: &Store,
    expiring: &Expiring,
    clock: &SharedClock,
    after: &mut Bytes,
) -> Result<bool, DynamoError> {
    for _ in 0..STEPS {
        let Some(last) = step(store, expiring, clock, after).await? else { return Ok(false) };
        *after = last;
    }
    Ok(true)
}

/// Removes some of a table's expired items behind a row; the last of them while there are more.
async fn step(
    store: &Store,
    expiring: &Expiring,
    clock: &SharedClock,
    after: &Bytes,
) -> Result<Option<Bytes>, DynamoError> {
    let table = &expiring.table;
    store
        .write(|tx| async move {
            let found = TABLES.get(&tx, table.key()).await?.filter(|found| found.id == table.id);
            let Some(found) = found else { return Ok(None) };
            let open = OpenTable::new(found);
            let Some(number) = open.table.expiry.as_ref().map(|expiry| expiry.number) else {
                return Ok(None);
            };
            let now = clock.now();
            let (from, to) = expired_by(now);
            let root = open.layout.expiries(number);
            let range = Range::prefix(&root)
                .after(root.clone().i64(from).as_bytes())
                .after(after)
                .before(root.i64(to.saturating_add(1)).as_bytes());
            let page = tx.scan(range, Direction::Forward, STEP).await?;
            for row in &page.rows {
                remove(&tx, &open, row, now).await?;
            }
            Ok(page.rows.into_iter().next_back().filter(|_| page.more).map(|last| last.key))
        })
        .await
}

/// Removes the item that the row stands for, if it still expires then.
async fn remove(tx: &Tx, open: &OpenTable, row: &Row, now: Timestamp) -> Result<(), DynamoError> {
    let key = decode_stored(&row.value)?;
    let place = open.place(&key)?;
    let attribute = open.table.expiry.as_ref().map_or("", |expiry| expiry.attribute.as_str());
    let item = open.item(tx, &place, &key).await?;
    match item.filter(|item| expires_at(item, attribute) == second_of(row)) {
        Some(item) => open.delete(tx, &place, Some(&item), Occasion::expiry(now)).await.map(drop),
        None => Ok(tx.delete(&Key::from_row(&row.key))?),
    }
}

/// The second that a row lies under: the part before the key's hash.
fn second_of(row: &Row) -> Option<i64> {
    let parts = KeyParts::decode(&row.key)?;
    match parts.into_iter().rev().nth(2)? {
        Part::I64(second) => Some(second),
        _ => None,
    }
}
