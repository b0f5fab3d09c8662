//! Rates that hold over all nodes, within a bound. Each node has buckets of its own; where there are other nodes, it
//! tells them twice a second what it let through, and its buckets owe for what the others did. So what passes on end is
//! the rate, over all nodes together; in any stretch of time at most (nodes − 1) × (burst + rate × 1 s) more than on one.
//!
//! On the embedded engine, which has one node, nothing is told.

mod bucket;
mod telling;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use homeport_core::Timestamp;

use crate::Parts;

pub use bucket::SharedBucket;
pub use telling::Telling;

/// Buckets that are told apart at once; beyond these, full ones that nobody holds are forgotten.
pub const MOST_BUCKETS: usize = 65_536;

/// The buckets of one kind of limit, by their names. Cheap to clone; all clones are one.
#[derive(Clone, Default)]
pub struct SharedRates(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    by_name: HashMap<String, Arc<SharedBucket>>,
    /// When full buckets were last forgotten: looking through all of them for every call would be a load of its own.
    swept: Timestamp,
}

impl SharedRates {
    /// Buckets that other nodes hear of, under a name that they know too. Where there can be other nodes, this must be
    /// called within a runtime; the telling ends with the last clone.
    pub fn start(parts: &Parts, of: &'static str) -> Self {
        let rates = Self::default();
        if parts.store.has_neighbours() {
            let telling = Telling::new(&rates, of, &parts.store, &parts.clock, &*parts.randomness);
            tokio::spawn(telling.go_on());
        }
        rates
    }

    /// The bucket of this name, which goes on with these limits.
    pub fn bucket(&self, name: &str, rate: f64, burst: f64, now: Timestamp) -> Arc<SharedBucket> {
        let mut known = self.lock();
        known.forget_full(now);
        if let Some(bucket) = known.by_name.get(name) {
            bucket.set_limits(rate, burst);
            return bucket.clone();
        }
        let bucket = Arc::new(SharedBucket::new(rate, burst, now));
        known.by_name.insert(name.to_owned(), bucket.clone());
        bucket
    }

    /// Whether this name has a bucket, or there is room for one more.
    pub(crate) fn has_room_for(&self, name: &str, now: Timestamp) -> bool {
        let mut known = self.lock();
        known.by_name.contains_key(name) || {
            known.forget_full(now);
            known.by_name.len() < MOST_BUCKETS
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// Where there are many: forgets what is full, at most once a second.
    fn forget_full(&mut self, now: Timestamp) {
        if self.by_name.len() >= MOST_BUCKETS && self.swept.seconds() != now.seconds() {
            self.by_name.retain(|_, bucket| Arc::strong_count(bucket) > 1 || !bucket.is_full(now));
            self.swept = now;
        }
    }
}
