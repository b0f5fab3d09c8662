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
    fn the_documented_example_passes_six_thousand() {
        let start = Timestamp::from_millis(0);
        let mut bucket = TokenBucket::new(10_000.0, 5_000.0, start);
        let first = (0..5_000).filter(|_| bucket.take(start)).count();
        let second = (0..5_000).filter(|_| bucket.take(Timestamp::from_millis(101))).count();
        assert_eq!((first, second), (5_000, 1_010));
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing() {
        let start = Timestamp::from_seconds(100);
        let mut bucket = TokenBucket::new(1.0, 1.0, start);
        assert!(bucket.take(start));
        assert!(!bucket.take(start.plus_seconds(-50)));
    }
}
