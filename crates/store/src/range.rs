use bytes::Bytes;

use crate::Key;
use crate::key::{end_of_prefix, successor};

/// The most rows in one page of a scan.
pub const MAX_PAGE_ROWS: usize = 1_000;
/// The size in bytes (keys and values) after which a page of a scan ends; it holds at least one row.
pub const MAX_PAGE_BYTES: usize = 1 << 20;

/// A stretch of keys: from the first one, up to but without the last. Ordered by the first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Range {
    pub(crate) from: Bytes,
    pub(crate) to: Bytes,
}

impl Range {
    /// Every key that begins with all parts of `prefix`.
    pub fn prefix(prefix: &Key) -> Self {
        Self { from: Bytes::copy_from_slice(prefix.as_bytes()), to: end_of_prefix(prefix.as_bytes()) }
    }

    /// From `from` on, up to but without `to`.
    pub fn between(from: &Key, to: &Key) -> Self {
        Self { from: Bytes::copy_from_slice(from.as_bytes()), to: Bytes::copy_from_slice(to.as_bytes()) }
    }

    /// Every key there is.
    pub fn all() -> Self {
        Self { from: Bytes::from_static(&[1]), to: Bytes::from_static(&[u8::MAX]) }
    }

    /// The part of this stretch behind `key` (a row's, or any encoded key): where the next page begins.
    #[must_use]
    pub fn after(self, key: &[u8]) -> Self {
        let next = successor(key);
        Self { from: self.from.max(next), to: self.to }
    }

    /// The part of this stretch before `key`: where the next page of a backward scan begins.
    #[must_use]
    pub fn before(self, key: &[u8]) -> Self {
        Self { to: self.to.min(Bytes::copy_from_slice(key)), from: self.from }
    }

    /// The stretch of keys that both have; an empty one if they share none.
    #[must_use]
    pub fn intersection(self, other: &Self) -> Self {
        Self { from: self.from.max(other.from.clone()), to: self.to.min(other.to.clone()) }
    }

    /// Whether no key can lie in it.
    pub fn is_empty(&self) -> bool {
        self.from >= self.to
    }
}

/// Which way a scan goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the first key to the last.
    Forward,
    /// From the last key to the first.
    Backward,
}

/// One row of a scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The encoded key; [`KeyParts::decode`](crate::KeyParts::decode) reads its parts.
    pub key: Bytes,
    /// The value.
    pub value: Bytes,
}

impl Row {
    pub(crate) fn size(&self) -> usize {
        self.key.len() + self.value.len()
    }
}

/// What a scan found, in its direction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The rows: at most [`MAX_PAGE_ROWS`], and none more once they pass [`MAX_PAGE_BYTES`].
    pub rows: Vec<Row>,
    /// Whether rows were left; go on with [`Range::after`] (or [`Range::before`]) the last row's key.
    pub more: bool,
}
