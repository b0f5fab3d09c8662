//! What items were. Where a table has a history, every write keeps what was there before it, under the item's place,
//! the time and the versionstamp. An item as of a moment is what the first write behind that moment found; or what is
//! there now, if there was none. That never changes, so a copy as of a moment can be taken item by item.

use bytes::Bytes;
use homeport_core::Timestamp;
use homeport_store::{Direction, Key, Range, Row, StoreError, Tx};

use crate::records::{items_of, numbered};
use crate::table::History;

/// The part of a version's key behind the place: a time and a versionstamp.
const BEHIND_PLACE: usize = 9 + 11;
/// The part of that before the versionstamp.
const TIME: usize = 9;

/// Where the versions of one item lie. `suffix` is the item's place behind the items' root.
pub(crate) fn versions(table_id: &str, number: u64, suffix: &[u8]) -> Key {
    joined(&numbered(table_id, number), suffix)
}

/// The time under which what is at a place is kept when it is written now: no earlier than the place's last version,
/// and behind every moment that a job has asked about. Nodes' clocks differ, and a call that was run again is written
/// behind one that came later.
pub(crate) async fn next_time(
    tx: &Tx,
    versions: &Key,
    history: &History,
    now: Timestamp,
) -> Result<i64, StoreError> {
    let found = tx.scan(Range::prefix(versions), Direction::Backward, 1).await?;
    let last = found.rows.first().and_then(time_of);
    let asked = history.asked_upto.map(|asked| asked.millis().saturating_add(1));
    Ok(now.millis().max(last.unwrap_or(i64::MIN)).max(asked.unwrap_or(i64::MIN)))
}

fn joined(root: &Key, suffix: &[u8]) -> Key {
    Key::from_row(&Bytes::from([root.as_bytes(), suffix].concat()))
}

/// A table's history, asked as of one moment.
#[derive(Clone, Copy)]
pub(crate) struct AsOf<'a> {
    pub(crate) table_id: &'a str,
    pub(crate) number: u64,
    pub(crate) at: Timestamp,
}

impl AsOf<'_> {
    fn root(&self) -> Key {
        numbered(self.table_id, self.number)
    }

    /// The stored form of the item at this place as of the moment, if there was one.
    pub(crate) async fn item(&self, tx: &Tx, suffix: &[u8]) -> Result<Option<Bytes>, StoreError> {
        let behind = self.behind(suffix);
        let found = tx.scan(behind, Direction::Forward, 1).await?;
        match found.rows.into_iter().next() {
            Some(row) => Ok(Some(row.value).filter(|was| !was.is_empty())),
            None => tx.get(&joined(&items_of(self.table_id), suffix)).await,
        }
    }

    /// When the item at this place was written last, of the writes from `from` up to the moment.
    pub(crate) async fn last_write(
        &self,
        tx: &Tx,
        suffix: &[u8],
        from: Timestamp,
    ) -> Result<Option<i64>, StoreError> {
        let versions = versions(self.table_id, self.number, suffix);
        let first = versions.clone().i64(from.millis());
        let behind = versions.clone().i64(self.at.millis().saturating_add(1));
        let range = Range::prefix(&versions).after(first.as_bytes()).before(behind.as_bytes());
        let found = tx.scan(range, Direction::Backward, 1).await?;
        Ok(found.rows.first().and_then(time_of))
    }

    /// What was written at this place behind the moment.
    fn behind(&self, suffix: &[u8]) -> Range {
        let versions = versions(self.table_id, self.number, suffix);
        let next = versions.clone().i64(self.at.millis().saturating_add(1));
        Range::prefix(&versions).after(next.as_bytes())
    }

    /// The next place behind `after` of which there are versions.
    pub(crate) async fn next_place(
        &self,
        tx: &Tx,
        after: Option<&[u8]>,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let root = self.root();
        let mut range = Range::prefix(&root);
        if let Some(after) = after {
            range = range.after(&past(&root, after));
        }
        let found = tx.scan(range, Direction::Forward, 1).await?;
        Ok(found.rows.first().and_then(|row| place_of(&root, row)).map(<[u8]>::to_vec))
    }
}

/// Behind all versions of a place.
fn past(root: &Key, suffix: &[u8]) -> Vec<u8> {
    [root.as_bytes(), suffix, &[u8::MAX]].concat()
}

/// The place that a version is of.
fn place_of<'a>(root: &Key, row: &'a Row) -> Option<&'a [u8]> {
    row.key.get(root.as_bytes().len()..row.key.len().checked_sub(BEHIND_PLACE)?)
}

/// When a version was replaced, in milliseconds.
pub(crate) fn time_of(row: &Row) -> Option<i64> {
    let from = row.key.len().checked_sub(BEHIND_PLACE)?;
    let time = row.key.get(from..from + TIME)?;
    match homeport_store::KeyParts::decode(time)?.pop()? {
        homeport_store::Part::I64(time) => Some(time),
        _ => None,
    }
}
