use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use homeport_store::Store;

use crate::records::{CLIENTS, POOLS};

/// Which pools and app clients there are, as this node has seen it: what was verified of their tokens holds for one epoch.
pub(crate) struct PoolsEpoch(Arc<AtomicU64>);

impl PoolsEpoch {
    /// Starts to follow the pools and clients of this store.
    pub(crate) fn follow(store: &Store) -> Self {
        let seen = Arc::new(AtomicU64::new(0));
        for root in [POOLS.root(), CLIENTS.root()] {
            let moved = seen.clone();
            let on_change = Arc::new(move |_| {
                moved.fetch_add(1, Ordering::SeqCst);
            });
            store.on_change(&root, on_change);
        }
        Self(seen)
    }

    /// A number that grows with every change seen.
    pub(crate) fn current(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}
