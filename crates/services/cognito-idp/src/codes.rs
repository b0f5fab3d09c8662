//! Confirmation codes (security decision 16): six digits, five tries, the newest alone valid, five an hour and
//! twenty a day for one user and purpose. Only their keyed hash is stored.

use homeport_core::{DIGITS, Randomness, Timestamp, draw};
use serde::{Deserialize, Serialize};

/// Tries that a code stands.
const TRIES: u8 = 5;
/// Codes for one user and purpose in an hour.
const AN_HOUR: usize = 5;
/// Codes for one user and purpose in a day.
const A_DAY: usize = 20;

/// What a code proves.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Purpose {
    /// That who signs up holds the address.
    SignUp,
    /// That who forgot the password holds the address.
    Reset,
    /// That a signed-in user holds this attribute's address.
    Attribute(String),
}

impl Purpose {
    /// The purpose in keys and in what is hashed.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::SignUp => "sign-up",
            Self::Reset => "reset",
            Self::Attribute(name) => name,
        }
    }

    /// How long such a code lives, in seconds.
    pub(crate) fn life_seconds(&self, strict: bool) -> i64 {
        match self {
            _ if strict => 600,
            Self::Reset => 3_600,
            Self::SignUp | Self::Attribute(_) => 86_400,
        }
    }
}

/// The code that is out for one user and purpose, and when codes went out before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Issued {
    /// The keyed hash of code, pool, user, purpose and destination; none when the code is spent.
    hash: Option<[u8; 32]>,
    expires: Timestamp,
    tries_left: u8,
    /// When codes went out in the last day, oldest first; at most [`A_DAY`].
    sent: Vec<Timestamp>,
}

/// Too many codes went out already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooManyCodes;

/// How a try ended; what is left is to be stored whatever the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The code is right, and now spent.
    Right,
    /// The code is wrong.
    Wrong,
    /// No code is out, or its time is over.
    Expired,
    /// The code stood its five tries.
    Exhausted,
}

/// Draws a code: six digits, each equally likely.
pub(crate) fn draw_code(randomness: &dyn Randomness) -> String {
    draw(randomness, DIGITS, 6)
}

impl Issued {
    /// A new code, which ends the one before.
    pub(crate) fn anew(
        before: Option<&Self>,
        hash: [u8; 32],
        now: Timestamp,
        life_seconds: i64,
    ) -> Result<Self, TooManyCodes> {
        let since = |seconds: i64| {
            let sent = before.map(|issued| issued.sent.as_slice()).unwrap_or_default();
            sent.iter().copied().filter(move |at| now.seconds_since(*at) < seconds)
        };
        if since(3_600).count() >= AN_HOUR || since(86_400).count() >= A_DAY {
            return Err(TooManyCodes);
        }
        let sent = since(86_400).chain([now]).collect();
        Ok(Self { hash: Some(hash), expires: now.plus_seconds(life_seconds), tries_left: TRIES, sent })
    }

    /// Spends a try: the verdict, and what is to be stored. Count and comparison belong to one transaction.
    pub(crate) fn try_once(&self, hash: &[u8; 32], now: Timestamp) -> (Verdict, Self) {
        let mut left = self.clone();
        let Some(expected) = &self.hash else {
            return (Verdict::Expired, left);
        };
        if now >= self.expires {
            left.hash = None;
            return (Verdict::Expired, left);
        }
        if self.tries_left == 0 {
            return (Verdict::Exhausted, left);
        }
        left.tries_left -= 1;
        if aws_lc_rs::constant_time::verify_slices_are_equal(expected, hash).is_ok() {
            left.hash = None;
            return (Verdict::Right, left);
        }
        (Verdict::Wrong, left)
    }

    /// A spent code made good again, because what it was given for did not come about; its try stays spent.
    pub(crate) fn given_back(&self, hash: [u8; 32]) -> Self {
        Self { hash: Some(hash), ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use homeport_core::SeededRandomness;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);
    const RIGHT: [u8; 32] = [1; 32];
    const WRONG: [u8; 32] = [2; 32];

    fn issued() -> Issued {
        Issued::anew(None, RIGHT, NOW, 600).expect("the first code")
    }

    #[test]
    fn a_code_is_right_once() {
        let (verdict, left) = issued().try_once(&RIGHT, NOW.plus_seconds(599));
        assert_eq!(verdict, Verdict::Right);
        assert_eq!(left.try_once(&RIGHT, NOW).0, Verdict::Expired);
    }

    #[test]
    fn a_code_stands_five_tries_whatever_comes_after() {
        let mut code = issued();
        for _ in 0..5 {
            let (verdict, left) = code.try_once(&WRONG, NOW);
            assert_eq!(verdict, Verdict::Wrong);
            code = left;
        }
        assert_eq!(code.try_once(&RIGHT, NOW).0, Verdict::Exhausted);
    }

    #[test]
    fn a_code_expires() {
        assert_eq!(issued().try_once(&RIGHT, NOW.plus_seconds(600)).0, Verdict::Expired);
    }

    #[test]
    fn a_new_code_ends_the_old_one() {
        let newer = Issued::anew(Some(&issued()), WRONG, NOW, 600).expect("the second code");
        assert_eq!(newer.try_once(&RIGHT, NOW).0, Verdict::Wrong);
        assert_eq!(newer.try_once(&WRONG, NOW).0, Verdict::Right);
    }

    #[test]
    fn five_codes_an_hour_and_twenty_a_day_go_out() {
        let mut code: Option<Issued> = None;
        let mut sent = 0;
        for minute in 0..24 * 60 {
            let at = NOW.plus_seconds(minute * 60);
            match Issued::anew(code.as_ref(), RIGHT, at, 600) {
                Ok(next) => {
                    code = Some(next);
                    sent += 1;
                }
                Err(TooManyCodes) => assert!(sent == 20 || sent % 5 == 0, "at minute {minute} after {sent}"),
            }
        }
        assert_eq!(sent, 20);
        assert!(Issued::anew(code.as_ref(), RIGHT, NOW.plus_seconds(86_400), 600).is_ok());
    }

    #[test]
    fn spent_tries_do_not_make_room_for_new_codes() {
        let mut code = issued();
        for _ in 1..5 {
            code = Issued::anew(Some(&code), RIGHT, NOW, 600).expect("within five");
        }
        assert_eq!(Issued::anew(Some(&code), RIGHT, NOW, 600), Err(TooManyCodes));
    }

    #[test]
    fn codes_are_six_digits() {
        let code = draw_code(&SeededRandomness::new(3));
        assert!(code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()), "{code}");
    }

    #[test]
    fn strict_codes_live_ten_minutes() {
        assert_eq!(Purpose::SignUp.life_seconds(false), 86_400);
        assert_eq!(Purpose::Reset.life_seconds(false), 3_600);
        assert_eq!(Purpose::Reset.life_seconds(true), 600);
    }
}
