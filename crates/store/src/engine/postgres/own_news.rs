//! What this node's own groups changed.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use crate::commit::Touched;
use crate::watch::Watchers;

/// Tells this node's own groups, each once: its committer does, or, where that still waits to hear whether a group took
/// effect, the follower that sees it.
pub(super) struct OwnNews {
    node: [u8; 16],
    watchers: Arc<Watchers>,
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    /// The number of the last group told.
    last: u64,
    /// Groups that the committer gave up: should one take effect yet, it is told however late.
    given_up: BTreeSet<u64>,
}

/// Of those it remembers the newest.
const MOST_GIVEN_UP: usize = 64;

impl OwnNews {
    pub(super) fn new(node: [u8; 16], watchers: Arc<Watchers>) -> Self {
        Self { node, watchers, told: Mutex::default() }
    }

    pub(super) fn node(&self) -> &[u8; 16] {
        &self.node
    }

    /// A group's id: the node and the group's number, which begins with 1.
    pub(super) fn id(&self, group: u64) -> Vec<u8> {
        [&self.node[..], &group.to_be_bytes()].concat()
    }

    /// Returns when watchers were told, whoever did it.
    pub(super) fn tell(&self, id: &[u8], touched: &[Touched]) {
        let group = number(id);
        // Held while they are told, so that the other waits for it.
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.given_up.remove(&group) || group > told.last {
            told.last = told.last.max(group);
            self.watchers.tell(touched);
        }
    }

    /// The committer will not tell this group.
    pub(super) fn gave_up(&self, id: &[u8]) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let group = number(id);
        if group > told.last {
            told.given_up.insert(group);
        }
        if told.given_up.len() > MOST_GIVEN_UP {
            told.given_up.pop_first();
        }
    }
}

fn number(id: &[u8]) -> u64 {
    id.last_chunk().map_or(0, |group| u64::from_be_bytes(*group))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::{Key, Versionstamp};

    #[test]
    fn a_group_is_told_once_whoever_comes_first() {
        let watchers = Arc::new(Watchers::default());
        let own = OwnNews::new([7; 16], Arc::clone(&watchers));
        let changes = watchers.changes(&Key::of("a"));
        let key = Bytes::copy_from_slice(Key::of("a").as_bytes());
        let touched = [(Versionstamp::new(1, 0), vec![key])];
        own.tell(&own.id(1), &touched);
        own.tell(&own.id(1), &touched);
        assert_eq!(changes.current(), 1);
        own.tell(&own.id(2), &touched);
        own.tell(&own.id(1), &touched);
        assert_eq!(changes.current(), 2);
        // Three took effect behind its committer's back, after four was told.
        own.gave_up(&own.id(3));
        own.tell(&own.id(4), &touched);
        own.tell(&own.id(3), &touched);
        own.tell(&own.id(3), &touched);
        assert_eq!(changes.current(), 4);
    }
}
