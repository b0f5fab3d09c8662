//! Copying items: into a backup, or out of one, or out of a table as it was, into a new table.
//!
//! As of a moment first every place is looked at where an item is now, then every place of which the history knows: so
//! none is missed that comes or goes meanwhile. A place may be looked at twice; what is there already is left.

use bytes::Bytes;
use homeport_core::Timestamp;
use homeport_store::{Direction, Key, Range, Store, Tx};
use tokio::time::Instant;

use super::STRETCH;
use crate::error::DynamoError;
use crate::history::AsOf;
use crate::items::{Occasion, OpenTable};
use crate::records::{
    BACKUPS, Backup, Copying, Goal, JOBS, Job, Origin, Place, SWEEPS, Sweep, TABLES, TableRef, Work, items_of,
};
use crate::table::{History, Table};
use crate::value::{StoredItem, decode_stored};

/// Places that one transaction looks at.
const STEP: usize = 200;
/// A transaction ends behind the item that passes this many bytes.
const STEP_BYTES: usize = 4 << 20;

/// Does the next stretch; true while there are more. It is read beforehand: what was there as of a moment never changes,
/// while a transaction that had read it all would be in conflict with whoever writes there now.
pub(super) async fn step(store: &Store, job: &str, now: Timestamp) -> Result<bool, DynamoError> {
    let read = store
        .read(|tx| async move {
            let Some(copying) = copying(&tx, job).await? else { return Ok(None) };
            let stretch = stretch(&tx, &copying).await?;
            Ok::<_, DynamoError>(Some((copying, stretch)))
        })
        .await?;
    let Some((from, stretch)) = read else { return Ok(false) };
    let (from, stretch) = (&from, &stretch);
    store
        .write(|tx| async move {
            match copying(&tx, job).await? {
                None => Ok(false),
                // Another node was as far.
                Some(found) if found != *from => Ok(true),
                Some(_) => put_down(&tx, job, from, stretch, now).await,
            }
        })
        .await
}

async fn copying(tx: &Tx, job: &str) -> Result<Option<Copying>, DynamoError> {
    Ok(match JOBS.get(tx, job).await?.map(|job| job.work) {
        Some(Work::Copy(copying)) => Some(*copying),
        _ => None,
    })
}

/// Gives the goal a stretch, and writes down how far that is; true while there are more.
async fn put_down(
    tx: &Tx,
    job: &str,
    copying: &Copying,
    stretch: &Stretch,
    now: Timestamp,
) -> Result<bool, DynamoError> {
    let Some(mut goal) = Receiver::open(tx, &copying.to).await? else {
        JOBS.delete(tx, job).await?;
        return Ok(false);
    };
    for (suffix, item) in &stretch.items {
        goal.take(tx, suffix, item.clone(), now).await?;
    }
    goal.keep(tx, stretch.next.is_none()).await?;
    match &stretch.next {
        Some(next) => {
            JOBS.put(tx, &Job { id: job.to_owned(), work: Work::Copy(Box::new(next.clone())) }).await?
        }
        None => {
            release(tx, &copying.from, job).await?;
            JOBS.delete(tx, job).await?;
        }
    }
    Ok(stretch.next.is_some())
}

/// Some items, each with its place, and how far they come, unless they come to the end.
struct Stretch {
    items: Vec<(Vec<u8>, Bytes)>,
    next: Option<Copying>,
}

async fn stretch(tx: &Tx, copying: &Copying) -> Result<Stretch, DynamoError> {
    let mut after = copying.after.as_deref().map(hex::decode).transpose().unwrap_or_default();
    let (mut items, mut bytes, begun) = (Vec::new(), 0, Instant::now());
    for _ in 0..STEP {
        let found = match copying.in_history {
            false => next_item(tx, &copying.from, after.as_deref()).await?,
            true => next_version(tx, &copying.from, after.as_deref()).await?,
        };
        let Some((suffix, item)) = found else {
            let has_history = matches!(copying.from, Origin::Table { .. });
            let next = Copying { after: None, in_history: true, ..copying.clone() };
            return Ok(Stretch { items, next: (has_history && !copying.in_history).then_some(next) });
        };
        if let Some(item) = item {
            bytes += item.len();
            items.push((suffix.clone(), item));
        }
        after = Some(suffix);
        if bytes >= STEP_BYTES || begun.elapsed() >= STRETCH {
            break;
        }
    }
    Ok(Stretch { items, next: Some(Copying { after: after.map(hex::encode), ..copying.clone() }) })
}

/// A place, and what is to be copied of it.
type Found = Option<(Vec<u8>, Option<Bytes>)>;

/// The next item that is there, as it was.
async fn next_item(tx: &Tx, from: &Origin, after: Option<&[u8]>) -> Result<Found, DynamoError> {
    let root = match from {
        Origin::Table { table, .. } => items_of(&table.id),
        Origin::Backup { items, .. } => items_of(items),
    };
    let mut range = Range::prefix(&root);
    if let Some(after) = after {
        range = range.after(&[root.as_bytes(), after].concat());
    }
    let page = tx.scan(range, Direction::Forward, 1).await?;
    let Some(row) = page.rows.into_iter().next() else { return Ok(None) };
    let suffix = row.key.slice(root.as_bytes().len()..).to_vec();
    let item = match from {
        Origin::Table { table, number, at } => {
            let as_of = AsOf { table_id: &table.id, number: *number, at: *at };
            as_of.item(tx, &suffix).await?
        }
        Origin::Backup { .. } => Some(row.value),
    };
    Ok(Some((suffix, item)))
}

/// The next item that the history knows, as it was.
async fn next_version(tx: &Tx, from: &Origin, after: Option<&[u8]>) -> Result<Found, DynamoError> {
    let Origin::Table { table, number, at } = from else { return Ok(None) };
    let as_of = AsOf { table_id: &table.id, number: *number, at: *at };
    let Some(suffix) = as_of.next_place(tx, after).await? else { return Ok(None) };
    let item = as_of.item(tx, &suffix).await?;
    Ok(Some((suffix, item)))
}

/// Who is given the items.
enum Receiver {
    Backup(Box<Backup>),
    Table(Box<OpenTable>),
}

impl Receiver {
    /// The backup or table, if it is still wanted.
    async fn open(tx: &Tx, goal: &Goal) -> Result<Option<Self>, DynamoError> {
        Ok(match goal {
            Goal::Backup(backup) => {
                BACKUPS.get(tx, backup.key()).await?.map(|backup| Self::Backup(Box::new(backup)))
            }
            Goal::Table(table) => {
                let found = TABLES.get(tx, table.key()).await?.filter(|found| found.id == table.id);
                found.map(|found| Self::Table(Box::new(OpenTable::new(found))))
            }
        })
    }

    /// Takes an item, unless it has it.
    async fn take(
        &mut self,
        tx: &Tx,
        suffix: &[u8],
        stored: Bytes,
        now: Timestamp,
    ) -> Result<(), DynamoError> {
        let root = match self {
            Self::Backup(backup) => items_of(&backup.items),
            Self::Table(open) => open.layout.items(),
        };
        let key = Key::from_row(&Bytes::from([root.as_bytes(), suffix].concat()));
        if tx.get(&key).await?.is_some() {
            return Ok(());
        }
        match self {
            Self::Backup(backup) => {
                backup.item_count += 1;
                backup.bytes += StoredItem::open(&stored)?.size() as i64;
                tx.put(&key, stored)?;
            }
            Self::Table(open) => {
                let item = decode_stored(&stored)?;
                let place = Place { key, slot: 0 };
                open.put(tx, &place, None, &item, Occasion::call(now)).await?;
            }
        }
        Ok(())
    }

    /// Writes down what it has, and whether that is all.
    async fn keep(self, tx: &Tx, whole: bool) -> Result<(), DynamoError> {
        match self {
            Self::Backup(mut backup) => {
                backup.is_available = whole;
                Ok(BACKUPS.put(tx, &backup).await?)
            }
            Self::Table(open) if whole => {
                let mut table = open.table;
                table.restored.iter_mut().for_each(|restored| restored.in_progress = false);
                Ok(TABLES.put(tx, &table).await?)
            }
            Self::Table(_) => Ok(()),
        }
    }
}

/// Tells the origin that the job asks no more.
async fn release(tx: &Tx, from: &Origin, job: &str) -> Result<(), DynamoError> {
    match from {
        Origin::Backup { backup, .. } => {
            if let Some(mut backup) = BACKUPS.get(tx, backup.key()).await? {
                backup.read_by.retain(|reader| reader != job);
                BACKUPS.put(tx, &backup).await?;
            }
        }
        Origin::Table { table, .. } => release_history(tx, table, job).await?,
    }
    Ok(())
}

/// Tells a table that the job asks no more what its items were.
pub(super) async fn release_history(tx: &Tx, table: &TableRef, job: &str) -> Result<(), DynamoError> {
    let found = TABLES.get(tx, table.key()).await?.filter(|found| found.id == table.id);
    if let Some(mut found) = found {
        let over = stop_asking(&mut found, job);
        TABLES.put(tx, &found).await?;
        if let Some(number) = over {
            // Under an id that no other job has: each job ends once.
            let work = Work::Sweep { table_id: found.id, number };
            JOBS.put(tx, &Job { id: format!("{job}-history"), work }).await?;
        }
    }
    Ok(())
}

/// Takes a job from those that ask for the table's history; the history's number if nobody needs it any more.
fn stop_asking(table: &mut Table, job: &str) -> Option<u64> {
    let history = table.history.as_mut()?;
    history.asked_by.remove(job);
    end_unneeded(table)
}

/// Ends the table's history if nobody needs it; its number then.
pub(crate) fn end_unneeded(table: &mut Table) -> Option<u64> {
    let needed = |history: &History| table.recovery.is_some() || !history.asked_by.is_empty();
    if table.history.as_ref().is_none_or(needed) {
        return None;
    }
    table.history.take().map(|history| history.number)
}

/// Removes backups that nobody asked for when their time is over.
pub(super) async fn expire(store: &Store, now: Timestamp) -> Result<(), DynamoError> {
    let mut after = None;
    loop {
        let cursor = &after;
        let found = store
            .read(|tx| async move {
                BACKUPS.page(&tx, homeport_store::KeyParts::new(), cursor.as_deref(), super::PAGE).await
            })
            .await?;
        for backup in found.records.iter().filter(|it| it.expires().is_some_and(|expires| expires <= now)) {
            let key = &homeport_store::Record::key(backup);
            store
                .write(|tx| async move {
                    let current = BACKUPS.get(&tx, key).await?.filter(|it| it.read_by.is_empty());
                    if let Some(current) = current {
                        BACKUPS.delete(&tx, key).await?;
                        SWEEPS.put(&tx, &Sweep { table_id: current.items }).await?;
                    }
                    Ok::<_, DynamoError>(())
                })
                .await?;
        }
        after = found.cursor;
        if after.is_none() {
            return Ok(());
        }
    }
}
