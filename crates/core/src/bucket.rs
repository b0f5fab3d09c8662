use crate::Timestamp;

/// A token bucket, as AWS throttles: it holds at most `burst` tokens, gains `rate` a second, and a call takes one.
/// Full at the start.
#[derive(Clone, Copy, Debug)]
pub struct TokenBucket {
    rate: f64,
    burst: f64,
    tokens: f64,
    at: Timestamp,
}

impl TokenBucket {
    /// A full bucket. Rates and bursts below zero count as zero.
    pub fn new(rate: f64, burst: f64, now: Timestamp) -> Self {
        Self { rate: rate.max(0.0), burst: burst.max(0.0), tokens: burst.max(0.0), at: now }
    }

    /// Takes a token, if there is one.
    pub fn take(&mut self, now: Timestamp) -> bool {
        self.refill(now);
        let enough = self.tokens >= 1.0;
        if enough {
            self.tokens -= 1.0;
        }
        enough
    }

    /// Whether there is a token to take.
    pub fn has_any(&mut self, now: Timestamp) -> bool {
        self.refill(now);
        self.tokens >= 1.0
    }

    /// Takes tokens for what passed elsewhere, whether they are there or not; it never owes more than `most`. Gives how
    /// many it took.
    pub fn owe(&mut self, tokens: f64, most: f64, now: Timestamp) -> f64 {
        self.refill(now);
        let before = self.tokens;
        self.tokens = (before - tokens).max(-most).min(before);
        before - self.tokens
    }

    /// Goes on with other limits, at the level that it has.
    pub fn set_limits(&mut self, rate: f64, burst: f64) {
        (self.rate, self.burst) = (rate.max(0.0), burst.max(0.0));
        self.tokens = self.tokens.min(self.burst);
    }

    /// The most that passes within so many seconds.
    pub fn most_in(&self, seconds: f64) -> f64 {
        self.burst + self.rate * seconds
    }

    /// Whether it is full again, so that forgetting it changes nothing.
    pub fn is_full(&mut self, now: Timestamp) -> bool {
        self.refill(now);
        self.tokens >= self.burst
    }

    fn refill(&mut self, now: Timestamp) {
        let seconds = now.seconds_f64() - self.at.seconds_f64();
        if seconds > 0.0 {
            self.tokens = (self.tokens + seconds * self.rate).min(self.burst);
            self.at = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_the_rate() {
        let start = Timestamp::from_seconds(100);
        let mut bucket = TokenBucket::new(2.0, 5.0, start);
        assert_eq!((0..9).filter(|_| bucket.take(start)).count(), 5);
        let later = start.plus_seconds(1);
        assert_eq!((0..9).filter(|_| bucket.take(later)).count(), 2);
        assert!(!bucket.is_full(later) && bucket.is_full(later.plus_seconds(60)));
    }

    #[test]
    fn what_is_owed_is_made_up_for_before_anything_passes() {
        let start = Timestamp::from_seconds(100);
        let mut bucket = TokenBucket::new(2.0, 4.0, start);
        assert!(bucket.has_any(start));
        bucket.owe(10.0, f64::INFINITY, start);
        assert!(!bucket.has_any(start.plus_seconds(3)) && bucket.has_any(start.plus_seconds(4)));
    }

    #[test]
    fn the_documented_example_passes_six_thousand() {
        let start = Timestamp::from_millis(0);
        let mut bucket = TokenBucket::new(10_000.0, 5_000.0, start);
        let first = (0..5_000).filter(|_| bucket.take(start)).count();
        let second = (0..5_000).filter(|_| bucket.take(Timestamp::from_millis(101))).count();
        assert_eq!((first, second), (5_000, 1_010));
    }

    #[test]
    fn what_is_owed_is_paid_by_the_rate_and_bounded() {
        let start = Timestamp::from_seconds(100);
        let mut bucket = TokenBucket::new(2.0, 5.0, start);
        bucket.owe(8.0, 10.0, start);
        assert!(!bucket.take(start.plus_seconds(1)));
        assert!(bucket.take(start.plus_seconds(2)));
        assert!((bucket.owe(1_000.0, 10.0, start.plus_seconds(2)) - 10.0).abs() < 1e-9);
        assert!(!bucket.take(start.plus_seconds(7)));
        assert!(bucket.take(start.plus_seconds(8)));
        bucket.owe(0.0, -50.0, start.plus_seconds(8));
        assert!(bucket.take(start.plus_seconds(8)) && !bucket.take(start.plus_seconds(8)));
    }

    #[test]
    fn other_limits_fill_nothing() {
        let start = Timestamp::from_seconds(100);
        let mut bucket = TokenBucket::new(1.0, 2.0, start);
        assert!(bucket.take(start) && bucket.take(start));
        bucket.set_limits(1.0, 100.0);
        assert!(!bucket.take(start));
        assert!((bucket.most_in(2.0) - 102.0).abs() < 1e-9);
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing() {
        let start = Timestamp::from_seconds(100);
        let mut bucket = TokenBucket::new(1.0, 1.0, start);
        assert!(bucket.take(start));
        assert!(!bucket.take(start.plus_seconds(-50)));
    }
}
