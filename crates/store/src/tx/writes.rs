use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use crate::key::check_length;
use crate::merge::{self, Merge};
use crate::{Key, KeyParts, StampPlaceholder, StoreError, Versionstamp};

/// What a transaction does at one key.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Put(Bytes),
    Delete,
    Merge(Vec<Merge>),
}

impl Op {
    /// Whether the value after it needs no look at the value before it.
    pub(super) fn is_blind(&self) -> bool {
        !matches!(self, Self::Merge(_))
    }

    /// The value after an operation, or none, on what is `below`.
    pub(crate) fn over(op: Option<&Self>, below: Option<Bytes>) -> Result<Option<Bytes>, StoreError> {
        match op {
            None => Ok(below),
            Some(Self::Put(value)) => Ok(Some(value.clone())),
            Some(Self::Delete) => Ok(None),
            Some(Self::Merge(merges)) => merge::apply_all(merges, below.as_deref()).map(Some),
        }
    }
}

/// A write whose key or value is known only at commit.
#[derive(Debug)]
pub(crate) enum Stamped {
    Key { prefix: Bytes, order: u16, suffix: Bytes, value: Bytes },
    Value { key: Bytes, order: u16 },
}

impl Stamped {
    pub(super) fn key(
        stamp: &StampPlaceholder,
        prefix: &Key,
        suffix: &KeyParts,
        value: Bytes,
    ) -> Result<Self, StoreError> {
        let order = stamp.order()?;
        let whole = prefix.clone().stamp(Versionstamp::default()).parts(suffix);
        check_length(whole.as_bytes().len())?;
        Ok(Self::Key {
            prefix: Bytes::copy_from_slice(prefix.as_bytes()),
            order,
            suffix: Bytes::copy_from_slice(suffix.as_bytes()),
            value,
        })
    }

    pub(super) fn value(stamp: &StampPlaceholder, key: Bytes) -> Result<Self, StoreError> {
        Ok(Self::Value { key, order: stamp.order()? })
    }

    fn size(&self) -> usize {
        match self {
            Self::Key { prefix, suffix, value, .. } => prefix.len() + suffix.len() + value.len() + 11,
            Self::Value { key, .. } => key.len() + 10,
        }
    }

    /// The row, now that the commit has its number.
    pub(crate) fn resolve(self, commit: u64) -> (Bytes, Bytes) {
        match self {
            Self::Key { prefix, order, suffix, value } => {
                let stamp = KeyParts::new().stamp(Versionstamp::new(commit, order));
                (Bytes::from([prefix.as_ref(), stamp.as_bytes(), suffix.as_ref()].concat()), value)
            }
            Self::Value { key, order } => {
                (key, Bytes::copy_from_slice(&Versionstamp::new(commit, order).to_bytes()))
            }
        }
    }
}

/// Everything a transaction would change.
#[derive(Debug, Default)]
pub(crate) struct WriteSet {
    pub(crate) ops: BTreeMap<Bytes, Op>,
    pub(crate) stamped: Vec<Stamped>,
    pub(crate) touched: Vec<Bytes>,
    pub(crate) commit: Arc<OnceLock<u64>>,
    /// The commit's number is greater than this.
    pub(crate) clock: u64,
    stamps_drawn: u32,
    size: usize,
}

impl WriteSet {
    pub(super) fn put(&mut self, key: Bytes, value: Bytes) {
        self.size += key.len() + value.len();
        self.ops.insert(key, Op::Put(value));
    }

    pub(super) fn delete(&mut self, key: Bytes) {
        self.size += key.len();
        self.ops.insert(key, Op::Delete);
    }

    pub(super) fn merge(&mut self, key: Bytes, merge: Merge) -> Result<(), StoreError> {
        self.size += key.len() + size_of::<Merge>();
        match self.ops.get_mut(&key) {
            Some(Op::Merge(merges)) => merges.push(merge),
            Some(Op::Delete) => drop(self.ops.insert(key, Op::Put(merge::to_value(merge.apply(None))))),
            Some(Op::Put(value)) => *value = merge::apply_all(&[merge], Some(value))?,
            None => drop(self.ops.insert(key, Op::Merge(vec![merge]))),
        }
        Ok(())
    }

    pub(super) fn stamp(&mut self, stamped: Stamped) {
        self.size += stamped.size();
        self.stamped.push(stamped);
    }

    pub(super) fn touch(&mut self, key: Bytes) {
        self.size += key.len();
        self.touched.push(key);
    }

    pub(super) fn raise_clock(&mut self, last: u64) {
        self.clock = self.clock.max(last);
    }

    pub(super) fn draw_stamp(&mut self) -> StampPlaceholder {
        let order = self.stamps_drawn;
        self.stamps_drawn = self.stamps_drawn.saturating_add(1);
        StampPlaceholder { commit: self.commit.clone(), order }
    }

    pub(super) fn pending(&self, key: &[u8]) -> Option<Op> {
        self.ops.get(key).cloned()
    }

    pub(super) fn pending_between(&self, from: &[u8], to: &[u8]) -> Vec<(Bytes, Op)> {
        let range = (std::ops::Bound::Included(from), std::ops::Bound::Excluded(to));
        self.ops.range::<[u8], _>(range).map(|(key, op)| (key.clone(), op.clone())).collect()
    }

    pub(crate) fn size(&self) -> usize {
        self.size
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ops.is_empty() && self.stamped.is_empty() && self.touched.is_empty() && self.clock == 0
    }
}
