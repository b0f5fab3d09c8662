//! Filling an index, or the times of expiry, with what was there before.
//!
//! Writes keep the new entries in step from the moment the table's record names them; since every write has read that
//! record, none is missed. What was there before is entered here, a stretch of items in one transaction.

use homeport_store::{Direction, Range, Store, Tx};

use crate::error::DynamoError;
use crate::expiry::expires_at;
use crate::items::OpenTable;
use crate::records::{JOBS, Job, TABLES, Work};
use crate::table::{IndexState, Table};
use crate::value::{Item, decode_stored, encode_stored};

/// Items that one transaction looks at.
const STEP: usize = 500;

/// Does the next stretch; true while there are more.
pub(super) async fn step(store: &Store, job: &str) -> Result<bool, DynamoError> {
    store
        .write(|tx| async move {
            let Some(job) = JOBS.get(&tx, job).await? else { return Ok(false) };
            let Work::Build { table, number, after } = &job.work else { return Ok(false) };
            let found = TABLES.get(&tx, table.key()).await?.filter(|found| found.id == table.id);
            let Some(found) = found.filter(|found| is_building(found, *number)) else {
                JOBS.delete(&tx, job.id.as_str()).await?;
                return Ok(false);
            };
            let open = OpenTable::new(found);
            let mut range = Range::prefix(&open.layout.items());
            if let Some(after) = after.as_deref().and_then(|hex| hex::decode(hex).ok()) {
                range = range.after(&after);
            }
            let page = tx.scan(range, Direction::Forward, STEP).await?;
            for row in &page.rows {
                enter(&tx, &open, *number, &decode_stored(&row.value)?).await?;
            }
            match page.rows.last().filter(|_| page.more) {
                Some(last) => {
                    let after = Some(hex::encode(&last.key));
                    let work = Work::Build { table: table.clone(), number: *number, after };
                    JOBS.put(&tx, &Job { id: job.id.clone(), work }).await?;
                    Ok(true)
                }
                None => {
                    TABLES.put(&tx, &built(open.table, *number)).await?;
                    JOBS.delete(&tx, job.id.as_str()).await?;
                    Ok(false)
                }
            }
        })
        .await
}

fn is_building(table: &Table, number: u64) -> bool {
    let index = table.indexes.iter().find(|index| index.number == number).map(|index| index.state);
    let expiry = table.expiry.iter().find(|expiry| expiry.number == number).map(|expiry| expiry.state);
    index.or(expiry) == Some(IndexState::Building)
}

async fn enter(tx: &Tx, open: &OpenTable, number: u64, item: &Item) -> Result<(), DynamoError> {
    if let Some(index) = open.table.indexes.iter().find(|index| index.number == number) {
        return open.enter(tx, index, item).await;
    }
    let Some(expiry) = &open.table.expiry else { return Ok(()) };
    let schema = &open.table.schema;
    let place =
        expires_at(item, &expiry.attribute).and_then(|at| open.layout.expiring(number, at, schema, item));
    if let Some((key, place)) = schema.key_of(item).zip(place) {
        tx.put(&place, encode_stored(&key))?;
    }
    Ok(())
}

fn built(mut table: Table, number: u64) -> Table {
    table.indexes.iter_mut().filter(|it| it.number == number).for_each(|it| it.state = IndexState::Active);
    table.expiry.iter_mut().filter(|it| it.number == number).for_each(|it| it.state = IndexState::Active);
    table
}
