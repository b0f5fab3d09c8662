//! An index declared when records are already there is `building` until a job has filled it.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;

use super::{Collection, Index, Record, index, record};
use crate::{Direction, Key, Range, Store, StoreError, Tx};

/// Records that one step of a build takes in.
const STEP_RECORDS: usize = 200;
const READY: &[u8] = b"ready";

/// The indexes that this process has seen ready: they stay so.
#[derive(Clone, Debug, Default)]
pub(crate) struct IndexStates(Arc<RwLock<HashSet<Key>>>);

impl IndexStates {
    fn is_ready(&self, row: &Key) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains(row)
    }

    fn set_ready(&self, row: Key) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(row);
    }
}

/// The row that says how far an index is: `ready`, absent, or `building` and the key of the last record taken.
fn state_row<R: Record>(index: &Index<R>) -> Key {
    Key::of("homeport.indexes").str(R::COLLECTION).str(index.name)
}

/// Before a record is put: indexes of a collection that holds none yet need no building.
pub(super) async fn note_new_indexes<R: Record>(tx: &Tx) -> Result<(), StoreError> {
    for index in R::indexes() {
        if !is_ready(tx, &state_row(index)).await? && is_empty::<R>(tx).await? {
            tx.put(&state_row(index), Bytes::from_static(READY))?;
        }
    }
    Ok(())
}

/// Before an index is read: refused while it lacks records.
pub(super) async fn check_ready<R: Record>(tx: &Tx, index: &Index<R>) -> Result<(), StoreError> {
    if is_ready(tx, &state_row(index)).await? || is_empty::<R>(tx).await? {
        return Ok(());
    }
    Err(StoreError::IndexBuilding { collection: R::COLLECTION, index: index.name })
}

async fn is_ready(tx: &Tx, row: &Key) -> Result<bool, StoreError> {
    if tx.index_states().is_ready(row) {
        return Ok(true);
    }
    let ready = tx.get(row).await?.is_some_and(|state| state == READY);
    // A state this transaction itself wrote may never be committed.
    if ready && !tx.has_written(row) {
        tx.index_states().set_ready(row.clone());
    }
    Ok(ready)
}

async fn is_empty<R: Record>(tx: &Tx) -> Result<bool, StoreError> {
    let first = tx.scan(Range::prefix(&Key::of(R::COLLECTION)), Direction::Forward, 1).await?;
    Ok(first.rows.is_empty())
}

impl<R: Record> Collection<R> {
    /// Fills every index that is not ready, step by step; a build that was cut off goes on where it was.
    /// Run it once at start for each collection that gained an index, in the background.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when records already there clash in a unique index (which then stays unready),
    /// and what the store answers.
    pub async fn build_indexes(&self, store: &Store) -> Result<(), StoreError> {
        for index in R::indexes() {
            while self.build_step(store, index).await? {
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }

    /// One transaction's worth of a build; true while more is to be done.
    async fn build_step(&self, store: &Store, index: &'static Index<R>) -> Result<bool, StoreError> {
        let row = &state_row(index);
        store
            .write(|tx| async move {
                let state = tx.get(row).await?;
                if state.as_deref() == Some(READY) {
                    return Ok(false);
                }
                let root = self.root();
                let range = Range::prefix(&root);
                let range = match state.as_deref().and_then(|state| state.strip_prefix(b"building")) {
                    Some(last) => range.after(&[root.as_bytes(), last].concat()),
                    None => range,
                };
                let page = tx.scan(range, Direction::Forward, STEP_RECORDS).await?;
                for row in &page.rows {
                    index::fill(&tx, index, &record::decode::<R>(&row.value)?).await?;
                }
                let state = match page.rows.last().filter(|_| page.more) {
                    Some(last) => [b"building", &last.key[root.as_bytes().len()..]].concat(),
                    None => READY.to_vec(),
                };
                tx.put(row, state)?;
                Ok(page.more)
            })
            .await
    }

    /// Whether every index can be read.
    ///
    /// # Errors
    /// What the store answers.
    pub async fn indexes_are_ready(&self, tx: &Tx) -> Result<bool, StoreError> {
        for index in R::indexes() {
            if !is_ready(tx, &state_row(index)).await? && !is_empty::<R>(tx).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
