use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use homeport_core::{Timestamp, TokenBucket};

/// A bucket that other nodes take from too.
pub struct SharedBucket {
    level: Mutex<TokenBucket>,
    /// What was taken here that the other nodes were not told yet.
    untold: AtomicU64,
}

impl SharedBucket {
    pub(super) fn new(rate: f64, burst: f64, now: Timestamp) -> Self {
        Self { level: Mutex::new(TokenBucket::new(rate, burst, now)), untold: AtomicU64::new(0) }
    }

    /// Takes a token; false when there is none.
    pub fn take(&self, now: Timestamp) -> bool {
        let taken = self.lock().take(now);
        if taken {
            self.untold.fetch_add(1, Ordering::Relaxed);
        }
        taken
    }

    /// Whether there is anything to take.
    pub fn has_any(&self, now: Timestamp) -> bool {
        self.lock().has_any(now)
    }

    /// Takes so much, whether it is there or not: where it is known only afterwards how much passed. Any number of calls
    /// can have passed at once before the first is charged, so no more than a burst is owed; what is beyond is let off
    /// on all nodes.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "counts are never negative, nor so large that a double could not count them"
    )]
    pub fn charge(&self, taken: u64, now: Timestamp) {
        let mut level = self.lock();
        let burst = level.most_in(0.0);
        let owed = level.owe(taken as f64, burst, now).round() as u64;
        self.untold.fetch_add(owed, Ordering::Relaxed);
    }

    pub(super) fn set_limits(&self, rate: f64, burst: f64) {
        self.lock().set_limits(rate, burst);
    }

    pub(super) fn is_full(&self, now: Timestamp) -> bool {
        self.lock().is_full(now)
    }

    pub(super) fn untold(&self) -> u64 {
        self.untold.load(Ordering::Relaxed)
    }

    /// So much of what was untold is told now.
    pub(super) fn tell(&self, taken: u64) {
        self.untold.fetch_sub(taken, Ordering::Relaxed);
    }

    /// So much was taken on one of `others` other nodes. Each of them can have taken a burst and what the rate gives
    /// until it is heard of; more is never owed.
    pub(super) fn owe(&self, taken: u64, others: usize, now: Timestamp) {
        #[expect(
            clippy::cast_precision_loss,
            reason = "no count is so large that a double could not count it"
        )]
        let (taken, others) = (taken as f64, others as f64);
        let mut level = self.lock();
        let most = others * level.most_in(1.0);
        level.owe(taken, most, now);
    }

    fn lock(&self) -> MutexGuard<'_, TokenBucket> {
        self.level.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
