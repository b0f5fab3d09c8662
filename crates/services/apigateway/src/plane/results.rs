//! What authorizers said, kept by the hash of what they were shown.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest;
use homeport_core::Timestamp;

use crate::limits::MAX_CACHED_RESULTS;

const SHARDS: usize = 16;

/// A hash of what was shown: a token with whatever else decides.
pub(super) type Shown = [u8; 32];

/// Hashes the parts, each with its length before it.
pub(super) fn shown(parts: &[&[u8]]) -> Shown {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

/// What was said, and until when that holds.
type Shard<T> = HashMap<Shown, (Timestamp, Arc<T>)>;

/// Results, each until its own end; a bounded number of them.
pub(super) struct Results<T> {
    shards: [Mutex<Shard<T>>; SHARDS],
    per_shard: usize,
}

impl<T> Default for Results<T> {
    fn default() -> Self {
        Self { shards: std::array::from_fn(|_| Mutex::default()), per_shard: MAX_CACHED_RESULTS / SHARDS }
    }
}

impl<T> Results<T> {
    fn shard(&self, shown: &Shown) -> std::sync::MutexGuard<'_, Shard<T>> {
        self.shards[usize::from(shown[0]) % SHARDS].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was said, if that still holds.
    pub(super) fn get(&self, shown: &Shown, now: Timestamp) -> Option<Arc<T>> {
        self.shard(shown).get(shown).filter(|(until, _)| *until > now).map(|(_, result)| result.clone())
    }

    /// Keeps what was said until a moment. A full cache first drops what has ended, then a half of the rest.
    pub(super) fn put(&self, shown: Shown, until: Timestamp, now: Timestamp, result: Arc<T>) {
        let mut shard = self.shard(&shown);
        if shard.len() >= self.per_shard {
            shard.retain(|_, (until, _)| *until > now);
        }
        if shard.len() >= self.per_shard {
            let mut keep = false;
            shard.retain(|_, _| {
                keep = !keep;
                keep
            });
        }
        shard.insert(shown, (until, result));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_ends_by_time() {
        let (results, at) = (Results::default(), Timestamp::from_seconds);
        results.put(shown(&[b"a", b"b"]), at(10), at(0), Arc::new(1));
        assert_eq!(results.get(&shown(&[b"a", b"b"]), at(9)).as_deref(), Some(&1));
        assert_eq!(results.get(&shown(&[b"a", b"b"]), at(10)), None);
        assert_eq!(results.get(&shown(&[b"ab", b""]), at(9)), None);
    }

    #[test]
    fn the_number_of_results_is_bounded() {
        let (results, now) = (Results::default(), Timestamp::from_seconds(0));
        for number in 0..2 * MAX_CACHED_RESULTS {
            results.put(shown(&[&number.to_be_bytes()]), Timestamp::from_seconds(1), now, Arc::new(number));
        }
        let kept: usize = results.shards.iter().map(|shard| shard.lock().unwrap().len()).sum();
        assert!(kept <= MAX_CACHED_RESULTS && kept > MAX_CACHED_RESULTS / 4, "{kept}");
    }
}
