//! When wrong passwords lock a user (security decision 13): from the fifth failure in a row for one second,
//! doubling up to fifteen minutes; a success, or fifteen quiet minutes, forget them.
//!
//! An attempt is taken as a failure *before* its password is looked at, durably, and a success forgets it. So n
//! attempts made at once cost n.

use homeport_core::Timestamp;
use serde::{Deserialize, Serialize};

/// How many wrong passwords are free, and how long the locks are.
#[derive(Clone, Copy, Debug)]
pub struct SignInLimits {
    /// The failure in a row that locks a user first: 5.
    pub locks_from: u32,
    /// The first lock, in seconds: 1. Each further one is twice as long.
    pub first_seconds: i64,
    /// The longest lock, in seconds: 900.
    pub longest_seconds: i64,
    /// After so many seconds without an attempt, failures are forgotten: 900.
    pub quiet_seconds: i64,
    /// Failures from one client address in five minutes before all its attempts are refused: 300.
    pub address_failures: i64,
}

impl Default for SignInLimits {
    fn default() -> Self {
        Self {
            locks_from: 5,
            first_seconds: 1,
            longest_seconds: 900,
            quiet_seconds: 900,
            address_failures: 300,
        }
    }
}

/// Failed attempts in a row, with those under way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Failures {
    count: u32,
    last: Timestamp,
    locked_until: Timestamp,
}

/// Attempts are not looked at now, and don't count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Locked;

impl Failures {
    /// Takes an attempt, as a failure until it is known to be none.
    pub(crate) fn take(&self, now: Timestamp, rule: &SignInLimits) -> Result<Self, Locked> {
        if now < self.locked_until {
            return Err(Locked);
        }
        let forgotten = now.seconds_since(self.last) >= rule.quiet_seconds;
        let count = if forgotten { 1 } else { self.count.saturating_add(1) };
        let locked_until = if count >= rule.locks_from {
            now.plus_seconds(rule.seconds_after(count))
        } else {
            Timestamp::default()
        };
        Ok(Self { count, last: now, locked_until })
    }

    /// Gives an attempt back that came to nothing for reasons of ours.
    pub(crate) fn given_back(&self, rule: &SignInLimits) -> Self {
        let count = self.count.saturating_sub(1);
        let locked_until = if count >= rule.locks_from {
            self.last.plus_seconds(rule.seconds_after(count))
        } else {
            Timestamp::default()
        };
        Self { count, last: self.last, locked_until }
    }
}

impl SignInLimits {
    fn seconds_after(&self, count: u32) -> i64 {
        let doublings = count.saturating_sub(self.locks_from).min(30);
        self.first_seconds.saturating_mul(1 << doublings).min(self.longest_seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_seconds(1_700_000_000);

    fn after(count: u32, now: Timestamp) -> Failures {
        let rule = SignInLimits::default();
        let mut failures = Failures::default();
        for _ in 0..count {
            failures.locked_until = Timestamp::default();
            failures = failures.take(now, &rule).expect("not locked");
        }
        failures
    }

    #[test]
    fn four_failures_are_free_and_the_fifth_locks_for_a_second() {
        let rule = SignInLimits::default();
        assert!(after(4, START).take(START, &rule).is_ok());
        let locked = after(5, START);
        assert_eq!(locked.take(START, &rule), Err(Locked));
        assert!(locked.take(START.plus_seconds(1), &rule).is_ok());
    }

    #[test]
    fn locks_double_up_to_fifteen_minutes() {
        let lengths: Vec<i64> =
            (5..=17).map(|count| after(count, START).locked_until.seconds_since(START)).collect();
        assert_eq!(lengths, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
        assert_eq!(SignInLimits::default().seconds_after(u32::MAX), 900);
    }

    #[test]
    fn fifteen_quiet_minutes_forget_all() {
        let rule = SignInLimits::default();
        let resumed = after(6, START).take(START.plus_seconds(899), &rule).expect("the lock of 2 s is over");
        assert_eq!(resumed.count, 7);
        let rested = after(6, START).take(START.plus_seconds(900), &rule).expect("the lock of 2 s is over");
        assert_eq!(rested.count, 1);
    }

    #[test]
    fn an_attempt_given_back_locks_nobody() {
        let rule = SignInLimits::default();
        assert!(after(5, START).given_back(&rule).take(START, &rule).is_ok());
        assert_eq!(after(7, START).given_back(&rule).locked_until, START.plus_seconds(2));
    }

    #[test]
    fn attempts_while_locked_do_not_prolong_the_lock() {
        let rule = SignInLimits::default();
        let locked = after(8, START);
        for second in 0..8 {
            assert_eq!(locked.take(START.plus_seconds(second), &rule), Err(Locked));
        }
        assert_eq!(locked.take(START.plus_seconds(8), &rule).expect("over").count, 9);
    }
}
