//! How a transaction becomes a change of the keyspace: the same steps on every engine that validates itself.

use std::collections::HashMap;

use bytes::Bytes;

use crate::conflicts::Window;
use crate::merge::{to_number, to_value};
use crate::tx::{Op, ReadSet, WriteSet};
use crate::{Key, StoreError, Versionstamp};

/// A transaction that asks to be committed.
#[derive(Debug)]
pub(crate) struct Commit {
    pub(crate) read_version: u64,
    pub(crate) reads: ReadSet,
    pub(crate) writes: WriteSet,
}

impl Commit {
    /// Whether it only writes and merges, and so can never conflict.
    pub(crate) fn reads_nothing(&self) -> bool {
        self.reads.is_empty()
    }

    /// The bytes of what it read and writes.
    pub(crate) fn size(&self) -> usize {
        self.reads.size() + self.writes.size()
    }
}

/// Why a commit did not happen.
#[derive(Debug)]
pub(crate) enum Refused {
    /// Something it read has changed: run again.
    Conflict,
    /// Running again would not help.
    Failed(StoreError),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

/// What [`Store::count`](crate::Store::count) came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Counted; the counter now stands at this.
    Now(i64),
    /// Not counted: it would have passed the limit. The counter stands at this.
    Full(i64),
}

impl Counted {
    /// Whether it was counted.
    pub const fn is_counted(self) -> bool {
        matches!(self, Self::Now(_))
    }
}

/// A change of a counter outside any transaction.
#[derive(Debug)]
pub(crate) struct Count {
    pub(crate) key: Bytes,
    pub(crate) delta: i64,
    pub(crate) limit: i64,
}

impl Count {
    pub(crate) fn new(key: &Key, delta: i64, limit: i64) -> Result<Self, StoreError> {
        Ok(Self { key: key.checked()?, delta, limit })
    }

    fn decide(&self, before: i64) -> Counted {
        let after = before.saturating_add(self.delta);
        if self.delta > 0 && after > self.limit { Counted::Full(before) } else { Counted::Now(after.max(0)) }
    }
}

/// What a commit touched that someone may watch.
pub(crate) type Touched = (Versionstamp, Vec<Bytes>);

/// Commits that become durable together, in order, and see each other.
pub(crate) struct Group<'a> {
    window: &'a mut Window,
    version: u64,
    changes: HashMap<Bytes, Option<Bytes>>,
    touched: Vec<Touched>,
    size: usize,
}

impl<'a> Group<'a> {
    pub(crate) fn behind(version: u64, window: &'a mut Window) -> Self {
        Self { window, version, changes: HashMap::new(), touched: Vec::new(), size: 0 }
    }

    /// The last commit's number, all final values, and what watchers are to be told.
    pub(crate) fn into_parts(self) -> (u64, HashMap<Bytes, Option<Bytes>>, Vec<Touched>) {
        (self.version, self.changes, self.touched)
    }

    /// Keys and values changed so far, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Takes a transaction in, if what it read still holds, and gives its number. `below` reads what was
    /// there before the group.
    pub(crate) fn take(
        &mut self,
        commit: Commit,
        below: impl Fn(&[u8]) -> Result<Option<Bytes>, StoreError>,
    ) -> Result<u64, Refused> {
        if !commit.reads_nothing() && self.window.conflicts(&commit.reads, commit.read_version) {
            return Err(Refused::Conflict);
        }
        let mut rows = Vec::with_capacity(commit.writes.ops.len() + commit.writes.stamped.len());
        for (key, op) in commit.writes.ops {
            let before = if matches!(op, Op::Merge(_)) { self.current(&key, &below)? } else { None };
            rows.push((key, Op::over(Some(&op), before)?));
        }
        self.version = self.version.max(commit.writes.clock);
        let version = self.version + 1;
        rows.extend(commit.writes.stamped.into_iter().map(|stamped| {
            let (key, value) = stamped.resolve(version);
            (key, Some(value))
        }));
        self.change(rows);
        if !commit.writes.touched.is_empty() {
            self.touched.push((Versionstamp::new(version, 0), commit.writes.touched));
        }
        Ok(version)
    }

    /// Takes a change of a counter in. A counter that comes to 0 leaves no row.
    pub(crate) fn count(
        &mut self,
        count: Count,
        below: impl Fn(&[u8]) -> Result<Option<Bytes>, StoreError>,
    ) -> Result<Counted, StoreError> {
        let before = self.current(&count.key, &below)?.map_or(Ok(0), |value| to_number(&value))?;
        let counted = count.decide(before);
        if let Counted::Now(after) = counted
            && after != before
        {
            self.change(vec![(count.key, (after != 0).then(|| to_value(after)))]);
        }
        Ok(counted)
    }

    fn current(
        &self,
        key: &Bytes,
        below: &impl Fn(&[u8]) -> Result<Option<Bytes>, StoreError>,
    ) -> Result<Option<Bytes>, StoreError> {
        self.changes.get(key).map_or_else(|| below(key), |value| Ok(value.clone()))
    }

    fn change(&mut self, rows: Vec<(Bytes, Option<Bytes>)>) {
        self.version += 1;
        self.window.record(self.version, rows.iter().map(|(key, _)| key.clone()).collect());
        for (key, value) in rows {
            self.size += key.len() + value.as_ref().map_or(0, Bytes::len);
            self.changes.insert(key, value);
        }
    }
}
