use std::sync::{Mutex, PoisonError};

use homeport_core::{SharedClock, SharedRandomness, Timestamp};
use homeport_vault::Vault;

use super::links::draw_token;

/// How long a session lives, in seconds.
const LIFE_SECONDS: i64 = 12 * 3_600;
/// Sessions at once; with one more the oldest ends.
const MOST_SESSIONS: usize = 32;

/// The two halves of a session: a cookie that scripts can't read, and a token that other sites can't send.
#[derive(Clone)]
pub(super) struct Session {
    pub(super) cookie: String,
    pub(super) token: String,
}

/// The sessions of one start of the server.
pub(super) struct Sessions {
    clock: SharedClock,
    randomness: SharedRandomness,
    open: Mutex<Vec<(Timestamp, Session)>>,
}

impl Sessions {
    pub(super) fn new(clock: SharedClock, randomness: SharedRandomness) -> Self {
        Self { clock, randomness, open: Mutex::default() }
    }

    pub(super) fn open(&self) -> Session {
        let session = Session { cookie: draw_token(&self.randomness), token: draw_token(&self.randomness) };
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.len() >= MOST_SESSIONS {
            open.remove(0);
        }
        open.push((self.clock.now(), session.clone()));
        session
    }

    /// Whether these are the halves of one session.
    pub(super) fn holds(&self, cookie: &str, token: &str) -> bool {
        let now = self.clock.now();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|(opened, _)| now.seconds_since(*opened) < LIFE_SECONDS);
        let same = |own: &str, given: &str| Vault::same_hash(own.as_bytes(), given.as_bytes());
        open.iter().any(|(_, session)| same(&session.cookie, cookie) & same(&session.token, token))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use homeport_core::{ManualClock, SeededRandomness};

    #[test]
    fn a_session_needs_both_halves_and_ends() {
        let clock = Arc::new(ManualClock::at(Timestamp::from_seconds(1_795_000_000)));
        let sessions = Sessions::new(clock.clone(), Arc::new(SeededRandomness::new(1)));
        let (one, other) = (sessions.open(), sessions.open());
        assert!(sessions.holds(&one.cookie, &one.token));
        assert!(!sessions.holds(&one.cookie, &other.token));
        assert!(!sessions.holds("", ""));
        clock.advance_seconds(LIFE_SECONDS);
        assert!(!sessions.holds(&one.cookie, &one.token));
    }
}
