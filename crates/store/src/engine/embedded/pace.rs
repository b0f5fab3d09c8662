use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// Reads that take less than this on average are done where they are asked for: what they read lies in memory, and going
/// to another thread would cost as much as the read.
const QUICK: Duration = Duration::from_micros(200);
/// No read counts for more, so that one that the processor was taken from doesn't count for a hundred.
const MOST: Duration = Duration::from_millis(10);
/// How many reads the average goes over, roughly.
const OVER: u32 = 64;

/// How long reads past the row cache take lately: a moving average, kept by whoever reads.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// In microseconds, times [`OVER`].
    sum: AtomicU32,
}

impl Pace {
    /// Whether reads don't wait for the disk.
    pub(super) fn is_quick(&self) -> bool {
        Duration::from_micros((self.sum.load(Ordering::Relaxed) / OVER).into()) < QUICK
    }

    /// Reads, and takes note of how long it takes.
    pub(super) fn timed<T>(&self, read: impl FnOnce() -> T) -> T {
        let begun = Instant::now();
        let outcome = read();
        self.note(begun.elapsed());
        outcome
    }

    /// Two at once may lose one of them: an average forgives that.
    fn note(&self, took: Duration) {
        let took = u32::try_from(took.min(MOST).as_micros()).unwrap_or(u32::MAX);
        let sum = self.sum.load(Ordering::Relaxed);
        self.sum.store(sum - sum / OVER + took, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slow_read_changes_nothing_and_many_do_until_they_are_quick_again() {
        let pace = Pace::default();
        (0..100).for_each(|_| pace.note(Duration::from_micros(20)));
        pace.note(Duration::from_secs(3));
        assert!(pace.is_quick());
        (0..100).for_each(|_| pace.note(Duration::from_micros(700)));
        assert!(!pace.is_quick());
        (0..200).for_each(|_| pace.note(Duration::from_micros(20)));
        assert!(pace.is_quick());
        (0..100_000).for_each(|_| pace.note(Duration::MAX));
        assert!(!pace.is_quick());
    }
}
