use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::StoreError;

/// Where a commit stands in the order of all commits: 8 bytes of the commit, 2 of the place inside it.
///
/// Stamps of one store only grow, also over restarts, and no stamp that a reader can see may still gain an
/// earlier neighbour. They are no times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Versionstamp {
    commit: u64,
    order: u16,
}

impl Versionstamp {
    pub(crate) const fn new(commit: u64, order: u16) -> Self {
        Self { commit, order }
    }

    /// The commit's number; every transaction that wrote has its own.
    pub const fn commit(self) -> u64 {
        self.commit
    }

    /// The ten bytes, which sort as the stamps do.
    pub fn to_bytes(self) -> [u8; 10] {
        let mut bytes = [0; 10];
        bytes[..8].copy_from_slice(&self.commit.to_be_bytes());
        bytes[8..].copy_from_slice(&self.order.to_be_bytes());
        bytes
    }

    /// The stamp of these ten bytes.
    pub fn from_bytes(bytes: [u8; 10]) -> Self {
        let [a, b, c, d, e, f, g, h, x, y] = bytes;
        Self { commit: u64::from_be_bytes([a, b, c, d, e, f, g, h]), order: u16::from_be_bytes([x, y]) }
    }
}

impl fmt::Display for Versionstamp {
    /// Twenty hexadecimal digits, which sort as the stamps do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{:04x}", self.commit, self.order)
    }
}

/// A stamp that a transaction will get when it commits.
///
/// Give it out of the write closure to learn the stamp: after `write` has returned, [`Self::stamp`] tells it.
#[derive(Clone, Debug)]
pub struct StampPlaceholder {
    pub(crate) commit: Arc<OnceLock<u64>>,
    pub(crate) order: u32,
}

impl StampPlaceholder {
    /// The stamp; `None` until the transaction has committed (and for ever, if it did not).
    pub fn stamp(&self) -> Option<Versionstamp> {
        let commit = *self.commit.get()?;
        Some(Versionstamp::new(commit, self.order().ok()?))
    }

    pub(crate) fn order(&self) -> Result<u16, StoreError> {
        u16::try_from(self.order).map_err(|_| StoreError::TooManyStamps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_sort_by_commit_then_by_place_in_all_forms() {
        let stamps = [Versionstamp::new(1, 0xffff), Versionstamp::new(2, 0), Versionstamp::new(256, 1)];
        for pair in stamps.windows(2) {
            assert!(pair[0] < pair[1]);
            assert!(pair[0].to_bytes() < pair[1].to_bytes());
            assert!(pair[0].to_string() < pair[1].to_string());
        }
        assert_eq!(Versionstamp::from_bytes(stamps[2].to_bytes()), stamps[2]);
    }
}
