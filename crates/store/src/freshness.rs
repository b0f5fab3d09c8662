//! Whether a node knows of everything that others changed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// How long a complete look at what others changed counts, from when it began.
const COUNTS_FOR: Duration = Duration::from_secs(5);
/// For good: nobody else changes anything.
const ALWAYS: u64 = u64::MAX;

/// Holds for good, until it was renewed once: from then on it must be renewed again and again.
pub(crate) struct Freshness {
    base: Instant,
    /// In microseconds since the base.
    until: AtomicU64,
}

impl Default for Freshness {
    fn default() -> Self {
        Self { base: Instant::now(), until: AtomicU64::new(ALWAYS) }
    }
}

impl Freshness {
    pub(crate) fn holds(&self) -> bool {
        self.holds_at(Instant::now())
    }

    fn holds_at(&self, now: Instant) -> bool {
        let until = self.until.load(Ordering::SeqCst);
        until == ALWAYS || self.since_base(now) < until
    }

    /// A complete look began then.
    pub(crate) fn renew(&self, began: Instant) {
        self.until.store(self.since_base(began + COUNTS_FOR), Ordering::SeqCst);
    }

    fn since_base(&self, moment: Instant) -> u64 {
        u64::try_from(moment.saturating_duration_since(self.base).as_micros()).unwrap_or(ALWAYS - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_counts_for_five_seconds_from_its_beginning() {
        let freshness = Freshness::default();
        let began = Instant::now() + Duration::from_secs(60);
        assert!(freshness.holds_at(began), "nobody else is there");
        freshness.renew(began);
        assert!(freshness.holds_at(began + Duration::from_millis(4_999)));
        assert!(!freshness.holds_at(began + Duration::from_secs(5)));
        freshness.renew(began + Duration::from_secs(1));
        assert!(freshness.holds_at(began + Duration::from_secs(5)));
    }
}
