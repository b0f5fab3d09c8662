use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use homeport_core::{SharedClock, SharedRandomness, Timestamp};
use homeport_vault::Vault;

/// How long a link opens the console, in seconds.
const LIFE_SECONDS: i64 = 600;
/// Links that may be open at once; with one more the oldest closes.
const MOST_LINKS: usize = 32;

/// One-time links into the console. They live as long as the process at most.
pub(crate) struct Links {
    address: SocketAddr,
    clock: SharedClock,
    randomness: SharedRandomness,
    open: Mutex<Vec<(Timestamp, String)>>,
}

impl Links {
    pub(crate) fn new(address: SocketAddr, clock: SharedClock, randomness: SharedRandomness) -> Self {
        Self { address, clock, randomness, open: Mutex::default() }
    }

    /// A new link to this path: the token is in the fragment, which browsers send nowhere.
    pub(crate) fn issue(&self, path: &str) -> String {
        let token = draw_token(&self.randomness);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.len() >= MOST_LINKS {
            open.remove(0);
        }
        open.push((self.clock.now(), token.clone()));
        format!("http://{}{path}#{token}", self.address)
    }

    /// Uses a link up; false when there is none like it, or its time is over.
    pub(crate) fn redeem(&self, token: &str) -> bool {
        let now = self.clock.now();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|(issued, _)| now.seconds_since(*issued) < LIFE_SECONDS);
        let found = open.iter().position(|(_, other)| Vault::same_hash(other.as_bytes(), token.as_bytes()));
        found.map(|at| open.remove(at)).is_some()
    }
}

/// Thirty-two random bytes in hexadecimal digits.
pub(super) fn draw_token(randomness: &SharedRandomness) -> String {
    let mut bytes = [0; 32];
    randomness.fill(&mut bytes);
    hex::encode(bytes)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use homeport_core::{ManualClock, SeededRandomness};

    #[test]
    fn a_link_opens_once_and_not_for_long() {
        let clock = Arc::new(ManualClock::at(Timestamp::from_seconds(1_795_000_000)));
        let address = "127.0.0.1:4567".parse().unwrap();
        let links = Links::new(address, clock.clone(), Arc::new(SeededRandomness::new(1)));
        let token = |url: String| url.strip_prefix("http://127.0.0.1:4567/outbox#").unwrap().to_owned();
        let (first, second) = (token(links.issue("/outbox")), token(links.issue("/outbox")));
        assert!(!links.redeem(""));
        assert!(links.redeem(&first));
        assert!(!links.redeem(&first));
        clock.advance_seconds(LIFE_SECONDS);
        assert!(!links.redeem(&second));
        let oldest = token(links.issue("/outbox"));
        for _ in 0..MOST_LINKS {
            links.issue("/outbox");
        }
        assert!(!links.redeem(&oldest));
    }
}
