//! All rows, as one snapshot holds them, and how they come into another store.

use crate::engine::LastingSnapshot;
use crate::key::check_length;
use crate::{Direction, Page, Range, Row, Store, StoreError, Tx};

/// The most rows in one page of an export.
const MAX_EXPORT_ROWS: usize = 10_000;
/// No store's clock comes so far by commits of its own; a number above it is damage.
const MAX_CLOCK: u64 = 1 << 62;

/// Every row of a store at one moment, in the order of keys. The moment stays however long it takes to read them; on
/// PostgreSQL a connection and a transaction of its own are kept open for it, so what is deleted meanwhile takes space.
pub struct Export {
    snapshot: LastingSnapshot,
    rest: Range,
}

impl Export {
    /// The number of the last commit that it holds. See [`Tx::raise_clock`].
    pub fn last(&self) -> u64 {
        self.snapshot.version()
    }

    /// Goes on behind `key`, which may be one of a row or not: so one that was cut off is continued.
    pub fn go_behind(&mut self, key: &[u8]) {
        self.rest = Range::all().after(key);
    }

    /// How many rows it has: all of them are walked for it, though few bytes travel.
    ///
    /// # Errors
    /// What the engine answers.
    pub async fn count(&self) -> Result<u64, StoreError> {
        self.snapshot.count().await
    }

    /// The next rows: about [`MAX_PAGE_BYTES`](crate::MAX_PAGE_BYTES), at least one; none at the end.
    ///
    /// # Errors
    /// What the engine answers.
    pub async fn next_rows(&mut self) -> Result<Option<Vec<Row>>, StoreError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let Page { rows, more } = self.snapshot.rows(self.rest.clone(), MAX_EXPORT_ROWS).await?;
        match rows.last().filter(|_| more) {
            Some(last) => self.go_behind(&last.key),
            None => self.rest.from = self.rest.to.clone(),
        }
        Ok(Some(rows).filter(|rows| !rows.is_empty()))
    }
}

impl Store {
    /// Everything that is durable now.
    ///
    /// # Errors
    /// What the engine answers.
    pub async fn export(&self) -> Result<Export, StoreError> {
        Ok(Export { snapshot: self.engine().lasting_snapshot().await?, rest: Range::all() })
    }

    /// Whether there is no row at all.
    ///
    /// # Errors
    /// What the engine answers.
    pub async fn is_empty(&self) -> Result<bool, StoreError> {
        let first = self.read(|tx| async move { tx.scan(Range::all(), Direction::Forward, 1).await }).await;
        first.map(|page| page.rows.is_empty())
    }

    /// How many other processes use this store at this moment: none, where a process has it for itself. A database
    /// that doesn't list its sessions in `pg_stat_activity` has nobody told.
    ///
    /// # Errors
    /// What the engine answers.
    pub async fn other_nodes(&self) -> Result<usize, StoreError> {
        self.engine().other_nodes().await
    }
}

impl Tx {
    /// Puts a row as an [`Export`] gave it, whatever it holds: no index is brought in step, as its rows come by
    /// themselves.
    ///
    /// # Errors
    /// [`StoreError::Aborted`], where no store gives such a key, and as [`Tx::put`].
    pub fn put_row(&self, row: &Row) -> Result<(), StoreError> {
        let all = Range::all();
        if row.key < all.from || row.key >= all.to {
            return Err(StoreError::Aborted("a key that no store gives"));
        }
        check_length(row.key.len())?;
        self.put_encoded(row.key.clone(), row.value.clone())
    }

    /// Makes this transaction's commit come behind `last`, the last commit of the store that rows were taken from:
    /// versionstamps given from then on sort behind all that those rows hold.
    ///
    /// # Errors
    /// [`StoreError::Aborted`], where no store has made so many commits, and as [`Tx::put`].
    pub fn raise_clock(&self, last: u64) -> Result<(), StoreError> {
        if last > MAX_CLOCK {
            return Err(StoreError::Aborted("a clock that no store has come to"));
        }
        self.note_clock(last)
    }
}
