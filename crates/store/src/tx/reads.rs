use std::collections::HashSet;

use bytes::Bytes;

/// What a transaction really read: single keys, and the stretches its scans walked.
#[derive(Debug, Default)]
pub(crate) struct ReadSet {
    keys: HashSet<Bytes>,
    ranges: Vec<(Bytes, Bytes)>,
    size: usize,
}

impl ReadSet {
    pub(crate) fn key(&mut self, key: Bytes) {
        let size = key.len();
        if self.keys.insert(key) {
            self.size += size;
        }
    }

    pub(crate) fn range(&mut self, from: Bytes, to: Bytes, bytes_read: usize) {
        self.size += from.len() + to.len() + bytes_read;
        self.ranges.push((from, to));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.ranges.is_empty()
    }

    pub(crate) fn size(&self) -> usize {
        self.size
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &Bytes> {
        self.keys.iter()
    }

    pub(crate) fn ranges(&self) -> &[(Bytes, Bytes)] {
        &self.ranges
    }
}
