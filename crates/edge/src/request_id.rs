//! Ids of requests: random, and no secret.

use std::sync::{Mutex, PoisonError};

use homeport_core::{Randomness, SharedRandomness, UPPER_ALPHANUMERIC, draw, uuid_v4};

/// How much is drawn at once: a system call for each request would cost as much as much of what is done for it.
const DRAWN_AT_ONCE: usize = 4_096;

/// Draws ids, of which many are made of what is drawn at once. For ids alone: of what is secret nothing lies about.
pub(crate) struct RequestIds {
    randomness: SharedRandomness,
    drawn: Mutex<Drawn>,
}

/// Random bytes, of which the first `left` were not used yet.
struct Drawn {
    bytes: [u8; DRAWN_AT_ONCE],
    left: usize,
}

impl RequestIds {
    pub(crate) fn new(randomness: SharedRandomness) -> Self {
        Self { randomness, drawn: Mutex::new(Drawn { bytes: [0; DRAWN_AT_ONCE], left: 0 }) }
    }

    /// A UUID, as most services have it.
    pub(crate) fn uuid(&self) -> String {
        uuid_v4(self)
    }

    /// 52 letters and digits, as DynamoDB has it.
    pub(crate) fn of_dynamodb(&self) -> String {
        draw(self, UPPER_ALPHANUMERIC, 52)
    }
}

impl Randomness for RequestIds {
    fn fill(&self, bytes: &mut [u8]) {
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        if drawn.left < bytes.len() {
            if bytes.len() > DRAWN_AT_ONCE {
                return self.randomness.fill(bytes);
            }
            self.randomness.fill(&mut drawn.bytes);
            drawn.left = DRAWN_AT_ONCE;
        }
        let from = drawn.left - bytes.len();
        bytes.copy_from_slice(&drawn.bytes[from..drawn.left]);
        drawn.left = from;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Arc;

    use homeport_core::SeededRandomness;

    use super::*;

    #[test]
    fn no_id_comes_twice() {
        let ids = RequestIds::new(Arc::new(SeededRandomness::new(7)));
        let drawn: HashSet<String> = (0..1_000).flat_map(|_| [ids.uuid(), ids.of_dynamodb()]).collect();
        assert_eq!(drawn.len(), 2_000);
        assert!(drawn.iter().all(|id| id.len() == 36 || id.len() == 52));
    }

    #[test]
    fn more_than_is_drawn_at_once_is_drawn_whole() {
        let ids = RequestIds::new(Arc::new(SeededRandomness::new(7)));
        let mut bytes = vec![0; DRAWN_AT_ONCE + 1];
        ids.fill(&mut bytes);
        assert!(bytes.chunks(64).all(|chunk| chunk.iter().any(|byte| *byte != 0) || chunk.len() < 8));
    }
}
