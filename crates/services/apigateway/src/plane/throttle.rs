//! Token buckets (API Gateway developer guide, "Throttle requests to your REST APIs"): `rate` tokens come back each
//! second, at most `burst` lie ready, a call takes one. They are kept per node, as AWS's are best effort.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use homeport_core::Timestamp;

/// One bucket; full at the start.
#[derive(Debug)]
pub(super) struct Bucket(Mutex<Level>);

#[derive(Debug)]
struct Level {
    rate: f64,
    burst: f64,
    tokens: f64,
    at: Timestamp,
}

impl Bucket {
    pub(super) fn new(rate: f64, burst: f64, now: Timestamp) -> Self {
        Self(Mutex::new(Level { rate, burst, tokens: burst, at: now }))
    }

    /// Takes a token; false when there is none.
    pub(super) fn take(&self, now: Timestamp) -> bool {
        let mut level = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = now.seconds_f64() - level.at.seconds_f64();
        if passed > 0.0 {
            level.tokens = (level.tokens + passed * level.rate).min(level.burst);
            level.at = now;
        }
        if level.tokens < 1.0 {
            return false;
        }
        level.tokens -= 1.0;
        true
    }

    fn set(&self, rate: f64, burst: f64) {
        let mut level = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        level.tokens = level.tokens.min(burst);
        (level.rate, level.burst) = (rate, burst);
    }
}

/// All buckets. They outlive the compiled stages, so that a change of a stage fills none.
#[derive(Debug, Default)]
pub(super) struct Buckets(Mutex<HashMap<String, Arc<Bucket>>>);

impl Buckets {
    /// The bucket of this name with these limits; those that nobody holds any more are dropped.
    pub(super) fn get(&self, name: String, rate: f64, burst: f64, now: Timestamp) -> Arc<Bucket> {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MAX_IDLE_BUCKETS {
            buckets.retain(|_, bucket| Arc::strong_count(bucket) > 1);
        }
        let bucket = buckets.entry(name).or_insert_with(|| Arc::new(Bucket::new(rate, burst, now)));
        bucket.set(rate, burst);
        bucket.clone()
    }
}

/// Buckets beyond this many are looked through for unused ones when one is added.
const MAX_IDLE_BUCKETS: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(bucket: &Bucket, calls: usize, at_ms: i64) -> usize {
        (0..calls).filter(|_| bucket.take(Timestamp::from_millis(at_ms))).count()
    }

    #[test]
    fn the_developer_guides_example_holds() {
        let bucket = Bucket::new(10_000.0, 5_000.0, Timestamp::from_millis(0));
        assert_eq!(passed(&bucket, 5_000, 0), 5_000);
        assert_eq!(passed(&bucket, 5_000, 100), 1_000);
    }

    #[test]
    fn a_bucket_never_holds_more_than_its_burst() {
        let bucket = Bucket::new(1.0, 2.0, Timestamp::from_millis(0));
        assert_eq!(passed(&bucket, 5, 1_000_000), 2);
        assert_eq!(passed(&bucket, 5, 1_000_500), 0);
        assert_eq!(passed(&bucket, 5, 1_001_000), 1);
        assert_eq!(passed(&Bucket::new(0.0, 0.0, Timestamp::from_millis(0)), 5, 1_000_000), 0);
    }

    #[test]
    fn a_bucket_keeps_its_level_when_its_limits_change() {
        let buckets = Buckets::default();
        let now = Timestamp::from_millis(0);
        let before = buckets.get("a".to_owned(), 1.0, 2.0, now);
        assert!(before.take(now) && before.take(now) && !before.take(now));
        assert!(!buckets.get("a".to_owned(), 1.0, 100.0, now).take(now));
    }
}
