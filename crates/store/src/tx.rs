//! A transaction's handle: what a closure reads and writes through.

mod reads;
mod scan;
mod writes;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use crate::collection::IndexStates;
use crate::commit::Commit;
use crate::engine::Snapshot;
use crate::merge::{Merge, to_number};
use crate::{Direction, Key, KeyParts, Page, Range, StampPlaceholder, StoreError};

pub(crate) use reads::ReadSet;
pub(crate) use writes::{Op, Stamped, WriteSet};

/// The most bytes a transaction may read and write, keys and values together.
pub const MAX_TRANSACTION_BYTES: usize = 128 << 20;
/// The longest a transaction may run.
pub const MAX_TRANSACTION_TIME: Duration = Duration::from_secs(5);

/// A transaction's handle, given to the closures of [`Store::read`](crate::Store::read) and
/// [`Store::write`](crate::Store::write). Cheap to clone; useless once the closure has returned.
///
/// Reads see one consistent snapshot and the transaction's own writes over it; nothing that is not yet
/// durable is ever seen. Stamped writes are the exception: their keys exist only at commit.
#[derive(Clone)]
pub struct Tx(Arc<Shared>);

struct Shared {
    snapshot: Snapshot,
    index_states: IndexStates,
    writes_allowed: bool,
    started: Instant,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    closed: bool,
    reads: ReadSet,
    writes: WriteSet,
}

impl State {
    fn bound(&self) -> Result<(), StoreError> {
        let size = self.reads.size() + self.writes.size();
        if size > MAX_TRANSACTION_BYTES { Err(StoreError::TransactionTooBig) } else { Ok(()) }
    }
}

impl Tx {
    pub(crate) fn reading(snapshot: Snapshot, index_states: &IndexStates) -> Self {
        Self::new(snapshot, index_states, false)
    }

    pub(crate) fn writing(snapshot: Snapshot, index_states: &IndexStates) -> Self {
        Self::new(snapshot, index_states, true)
    }

    fn new(snapshot: Snapshot, index_states: &IndexStates, writes_allowed: bool) -> Self {
        Self(Arc::new(Shared {
            snapshot,
            index_states: index_states.clone(),
            writes_allowed,
            started: Instant::now(),
            state: Mutex::default(),
        }))
    }

    /// The value at `key`.
    ///
    /// # Errors
    /// [`StoreError::KeyTooLong`], [`StoreError::TransactionTooLong`], [`StoreError::TransactionTooBig`].
    pub async fn get(&self, key: &Key) -> Result<Option<Bytes>, StoreError> {
        self.get_encoded(key.checked()?).await
    }

    /// The values at `keys`, in their order. One trip for all that are not in memory.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Bytes>>, StoreError> {
        let keys = keys.iter().map(Key::checked).collect::<Result<Vec<_>, _>>()?;
        self.get_many_encoded(keys).await
    }

    /// The number at `key`, as [`Self::add`], [`Self::max`], [`Self::min`] and
    /// [`Store::count`](crate::Store::count) write it. Reading it makes the transaction conflict with them.
    ///
    /// # Errors
    /// As [`Self::get`], and [`StoreError::NotANumber`].
    pub async fn get_i64(&self, key: &Key) -> Result<Option<i64>, StoreError> {
        self.get(key).await?.map(|value| to_number(&value)).transpose()
    }

    /// Rows in `range`, in `direction`: at most `limit` (and never more than a [`Page`] holds).
    /// In a writing transaction the stretch really walked is what conflicts, not the whole of `range`.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn scan(&self, range: Range, direction: Direction, limit: usize) -> Result<Page, StoreError> {
        scan::scan(self, range, direction, limit).await
    }

    /// Puts `value` at `key`.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`], [`StoreError::KeyTooLong`], [`StoreError::TransactionTooBig`].
    pub fn put(&self, key: &Key, value: impl Into<Bytes>) -> Result<(), StoreError> {
        let (key, value) = (key.checked()?, value.into());
        self.change(|writes| writes.put(key, value))
    }

    /// Removes what is at `key`, if anything.
    ///
    /// # Errors
    /// As [`Self::put`].
    pub fn delete(&self, key: &Key) -> Result<(), StoreError> {
        let key = key.checked()?;
        self.change(|writes| writes.delete(key))
    }

    /// Adds to the number at `key` (0 when absent) at commit. Never conflicts with other merges. The sum stops
    /// at the ends of `i64`.
    ///
    /// # Errors
    /// As [`Self::put`]; `write` answers [`StoreError::NotANumber`] when the value there is no number.
    pub fn add(&self, key: &Key, delta: i64) -> Result<(), StoreError> {
        self.merge(key, Merge::Add(delta))
    }

    /// Raises the number at `key` to `other` at commit, if it is less or absent. Never conflicts with merges.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn max(&self, key: &Key, other: i64) -> Result<(), StoreError> {
        self.merge(key, Merge::Max(other))
    }

    /// Lowers the number at `key` to `other` at commit, if it is more or absent. Never conflicts with merges.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn min(&self, key: &Key, other: i64) -> Result<(), StoreError> {
        self.merge(key, Merge::Min(other))
    }

    fn merge(&self, key: &Key, merge: Merge) -> Result<(), StoreError> {
        let key = key.checked()?;
        let mut outcome = Ok(());
        self.change(|writes| outcome = writes.merge(key, merge))?;
        outcome
    }

    /// A stamp of this transaction's commit, later than those it drew before.
    pub fn versionstamp(&self) -> StampPlaceholder {
        self.lock().writes.draw_stamp()
    }

    /// Puts `value` at `prefix`, a fresh versionstamp as the next part, and `suffix`. Keys written so are read
    /// in the order of commits, and behind one that was read no earlier one ever appears.
    /// This transaction does not see the row itself.
    ///
    /// # Errors
    /// As [`Self::put`], and [`StoreError::TooManyStamps`].
    pub fn put_stamped(
        &self,
        prefix: &Key,
        suffix: impl Into<KeyParts>,
        value: impl Into<Bytes>,
    ) -> Result<StampPlaceholder, StoreError> {
        let stamp = self.versionstamp();
        self.put_stamped_with(&stamp, prefix, suffix, value)?;
        Ok(stamp)
    }

    /// [`Self::put_stamped`] with a stamp drawn before, so that several rows carry the same one.
    ///
    /// # Errors
    /// As [`Self::put_stamped`].
    pub fn put_stamped_with(
        &self,
        stamp: &StampPlaceholder,
        prefix: &Key,
        suffix: impl Into<KeyParts>,
        value: impl Into<Bytes>,
    ) -> Result<(), StoreError> {
        let stamped = Stamped::key(stamp, prefix, &suffix.into(), value.into())?;
        self.change(|writes| writes.stamp(stamped))
    }

    /// Puts a fresh versionstamp (its ten bytes) at `key`. This transaction does not see it itself.
    ///
    /// # Errors
    /// As [`Self::put_stamped`].
    pub fn put_stamp_value(&self, key: &Key) -> Result<StampPlaceholder, StoreError> {
        let stamp = self.versionstamp();
        let stamped = Stamped::value(&stamp, key.checked()?)?;
        self.change(|writes| writes.stamp(stamped))?;
        Ok(stamp)
    }

    /// Tells those who watch a prefix of `key` when this transaction commits. Watched collections do it by
    /// themselves.
    ///
    /// # Errors
    /// As [`Self::put`].
    pub fn touch(&self, key: &Key) -> Result<(), StoreError> {
        let key = key.checked()?;
        self.change(|writes| writes.touch(key))
    }

    pub(crate) async fn get_encoded(&self, key: Bytes) -> Result<Option<Bytes>, StoreError> {
        let pending = self.note_read(&key)?;
        if let Some(Op::Put(value)) = pending {
            return Ok(Some(value));
        }
        if matches!(pending, Some(Op::Delete)) {
            return Ok(None);
        }
        let below = self.0.snapshot.get(&key).await?;
        Op::over(pending.as_ref(), below)
    }

    pub(crate) async fn get_many_encoded(&self, keys: Vec<Bytes>) -> Result<Vec<Option<Bytes>>, StoreError> {
        let pending = keys.iter().map(|key| self.note_read(key)).collect::<Result<Vec<_>, _>>()?;
        let below = self.0.snapshot.get_many(keys).await?;
        pending.iter().zip(below).map(|(op, value)| Op::over(op.as_ref(), value)).collect()
    }

    /// Notes that `key` is read, and gives what this transaction itself wrote there.
    fn note_read(&self, key: &Bytes) -> Result<Option<Op>, StoreError> {
        self.check_time()?;
        if !self.0.writes_allowed {
            return Ok(None);
        }
        let mut state = self.open()?;
        let pending = state.writes.pending(key);
        if !pending.as_ref().is_some_and(Op::is_blind) {
            state.reads.key(key.clone());
            state.bound()?;
        }
        Ok(pending)
    }

    pub(crate) fn put_encoded(&self, key: Bytes, value: Bytes) -> Result<(), StoreError> {
        self.change(|writes| writes.put(key, value))
    }

    pub(crate) fn note_clock(&self, last: u64) -> Result<(), StoreError> {
        self.change(|writes| writes.raise_clock(last))
    }

    fn change(&self, change: impl FnOnce(&mut WriteSet)) -> Result<(), StoreError> {
        if !self.0.writes_allowed {
            return Err(StoreError::ReadOnly);
        }
        let mut state = self.open()?;
        change(&mut state.writes);
        state.bound()
    }

    /// Whether what it read came apart, so that it must run again.
    pub(crate) fn has_moved(&self) -> bool {
        self.0.snapshot.has_moved()
    }

    pub(crate) fn index_states(&self) -> &IndexStates {
        &self.0.index_states
    }

    pub(crate) fn has_written(&self, key: &Key) -> bool {
        self.lock().writes.pending(key.as_bytes()).is_some()
    }

    fn check_time(&self) -> Result<(), StoreError> {
        if self.0.started.elapsed() > MAX_TRANSACTION_TIME {
            Err(StoreError::TransactionTooLong)
        } else {
            Ok(())
        }
    }

    fn open(&self) -> Result<MutexGuard<'_, State>, StoreError> {
        let state = self.lock();
        if state.closed { Err(StoreError::Closed) } else { Ok(state) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the transaction and gives what is to be committed; `None` when nothing was written.
    pub(crate) fn finish(&self) -> Option<Commit> {
        let state = std::mem::replace(&mut *self.lock(), State { closed: true, ..State::default() });
        self.0.snapshot.close();
        let commit =
            Commit { read_version: self.0.snapshot.version(), reads: state.reads, writes: state.writes };
        (!commit.writes.is_empty()).then_some(commit)
    }
}
