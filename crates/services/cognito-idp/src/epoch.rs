use homeport_store::{Changes, Store};

use crate::records::{CLIENTS, POOLS};

/// Which pools and app clients there are, as this node has heard of it: what was verified of their tokens holds for one epoch.
pub(crate) struct PoolsEpoch([Changes; 2]);

impl PoolsEpoch {
    /// Starts to follow the pools and clients of this store.
    pub(crate) fn follow(store: &Store) -> Self {
        Self([POOLS.root(), CLIENTS.root()].map(|root| store.changes(&root)))
    }

    /// A number that grows with every change heard of, and with every call while others' changes can't be heard.
    pub(crate) fn current(&self) -> u64 {
        self.0.iter().map(Changes::current).sum()
    }
}
