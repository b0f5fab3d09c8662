use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

const SHARDS: usize = 16;
/// Rows bigger than this would push too many others out.
const MAX_ROW_BYTES: usize = 64 << 10;
/// What holding one row costs beside its bytes, roughly.
const ENTRY_BYTES: usize = 128;

/// Rows read or written lately, absent ones too, as the newest commit left them.
///
/// Two generations: rows enter the young one; when it is full it becomes the old one, and what was old and
/// not read meanwhile is forgotten.
#[derive(Debug)]
pub(super) struct RowCache {
    shards: [Mutex<Shard>; SHARDS],
    generation_bytes: usize,
}

#[derive(Debug, Default)]
struct Shard {
    young: HashMap<Bytes, Entry>,
    old: HashMap<Bytes, Entry>,
    young_bytes: usize,
    /// The last commit that changed a row of this shard.
    last_change: u64,
}

#[derive(Clone, Debug)]
struct Entry {
    value: Option<Bytes>,
    /// The commit since which the row has been so.
    since: u64,
}

impl RowCache {
    pub(super) fn new(bytes: usize) -> Self {
        Self { shards: Default::default(), generation_bytes: bytes / SHARDS / 2 }
    }

    /// The row as a snapshot of `version` sees it, if that is known: `Some(None)` is a row known to be absent.
    pub(super) fn get(&self, key: &[u8], version: u64) -> Option<Option<Bytes>> {
        let mut shard = self.shard(key);
        if let Some(entry) = shard.young.get(key) {
            return (entry.since <= version).then(|| entry.value.clone());
        }
        let (key, entry) = shard.old.remove_entry(key)?;
        let value = (entry.since <= version).then(|| entry.value.clone());
        shard.put(key, entry, self.generation_bytes);
        value
    }

    /// Takes in a row that a snapshot of `version` read.
    pub(super) fn loaded(&self, key: &Bytes, value: Option<&Bytes>, version: u64) {
        let mut shard = self.shard(key);
        // A commit behind that snapshot may have changed the row.
        if shard.last_change <= version {
            shard.take(key, value, version, self.generation_bytes);
        }
    }

    /// Takes in a row that the commit `version` changed. To be called before that commit is published.
    pub(super) fn changed(&self, key: &Bytes, value: Option<&Bytes>, version: u64) {
        let mut shard = self.shard(key);
        shard.last_change = version;
        shard.old.remove(key);
        shard.take(key, value, version, self.generation_bytes);
    }

    fn shard(&self, key: &[u8]) -> MutexGuard<'_, Shard> {
        let mixed = key
            .iter()
            .rev()
            .take(12)
            .fold(key.len(), |mixed, &byte| mixed.wrapping_mul(31).wrapping_add(usize::from(byte)));
        self.shards[mixed % SHARDS].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shard {
    fn take(&mut self, key: &Bytes, value: Option<&Bytes>, since: u64, generation_bytes: usize) {
        if key.len() + value.map_or(0, Bytes::len) > MAX_ROW_BYTES {
            if let Some(before) = self.young.remove(key) {
                self.young_bytes -= size(key, &before);
            }
            return;
        }
        // Copies: the originals may be slices that keep a whole request alive.
        let value = value.map(|value| Bytes::copy_from_slice(value));
        self.put(Bytes::copy_from_slice(key), Entry { value, since }, generation_bytes);
    }

    fn put(&mut self, key: Bytes, entry: Entry, generation_bytes: usize) {
        self.young_bytes += size(&key, &entry);
        let key_bytes = key.len();
        if let Some(before) = self.young.insert(key, entry) {
            self.young_bytes -= key_bytes + before.value.as_ref().map_or(0, Bytes::len) + ENTRY_BYTES;
        }
        if self.young_bytes > generation_bytes {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
    }
}

fn size(key: &Bytes, entry: &Entry) -> usize {
    key.len() + entry.value.as_ref().map_or(0, Bytes::len) + ENTRY_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Bytes = Bytes::from_static(b"key");
    const A: Bytes = Bytes::from_static(b"a");
    const B: Bytes = Bytes::from_static(b"b");

    #[test]
    fn a_snapshot_never_sees_a_row_from_its_future() {
        let cache = RowCache::new(1 << 20);
        cache.loaded(&KEY, Some(&A), 5);
        assert_eq!(cache.get(&KEY, 5), Some(Some(A)));
        cache.changed(&KEY, Some(&B), 6);
        assert_eq!(cache.get(&KEY, 5), None);
        assert_eq!(cache.get(&KEY, 6), Some(Some(B)));
        cache.changed(&KEY, None, 7);
        assert_eq!(cache.get(&KEY, 8), Some(None));
    }

    #[test]
    fn a_late_reader_does_not_bring_an_old_row_back() {
        let cache = RowCache::new(1 << 20);
        cache.changed(&KEY, Some(&B), 6);
        cache.loaded(&KEY, Some(&A), 5);
        assert_eq!(cache.get(&KEY, 6), Some(Some(B)));
        let cache = RowCache::new(0);
        cache.changed(&KEY, Some(&B), 6);
        cache.changed(&Bytes::from(vec![b'x'; 99]), Some(&B), 7);
        cache.loaded(&KEY, Some(&A), 5);
        assert_ne!(cache.get(&KEY, 7), Some(Some(A)));
    }

    #[test]
    fn memory_is_bounded_and_rows_in_use_stay() {
        let cache = RowCache::new(1 << 20);
        cache.loaded(&KEY, Some(&A), 1);
        for n in 0..100_000_u32 {
            cache.loaded(&Bytes::copy_from_slice(&n.to_be_bytes()), Some(&B), 1);
            assert_eq!(cache.get(&KEY, 1), Some(Some(A)));
        }
        let rows: usize = cache.shards.iter().map(|shard| shard.lock().unwrap().young.len() * 2).sum();
        assert!(rows * ENTRY_BYTES <= 2 << 20);
        assert!(cache.get(&0_u32.to_be_bytes(), 1).is_none());
    }
}
