//! What this node's own groups changed.

use std::sync::{Arc, Mutex, PoisonError};

use crate::commit::Touched;
use crate::watch::Watchers;

/// Tells this node's own groups, each once: its committer does, or, where that still waits to hear whether a group took
/// effect, the follower that sees it.
pub(super) struct OwnNews {
    node: [u8; 16],
    watchers: Arc<Watchers>,
    /// The number of the last group told.
    told: Mutex<u64>,
}

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
        let group = id.last_chunk().map_or(0, |group| u64::from_be_bytes(*group));
        // Held while they are told, so that the other waits for it.
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if group > *told {
            *told = group;
            self.watchers.tell(touched);
        }
    }
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
    }
}
