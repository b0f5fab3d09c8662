use std::sync::atomic::{AtomicU64, Ordering};

use homeport_store::{Key, Store, StoreError, Tx};

/// The one key that every change of who-may-do-what touches.
fn key() -> Key {
    Key::of("authorization-epoch")
}

/// To be called in the transaction of every change that can alter a decision: a policy, a role, a user, an access
/// key, a group's members, a resource policy. A write that was authorized before the change then conflicts
/// and is decided anew (security decision 4), and caches of policies are dropped.
pub fn bump_authorization(tx: &Tx) -> Result<(), StoreError> {
    tx.add(&key(), 1)?;
    tx.touch(&key())
}

/// The epoch as this node has seen it, kept current by `watch`: what caches of policies are valid for.
pub struct AuthorizationEpoch {
    seen: std::sync::Arc<AtomicU64>,
}

impl AuthorizationEpoch {
    /// Starts to follow the epoch of this store.
    pub fn follow(store: &Store) -> Self {
        let seen = std::sync::Arc::new(AtomicU64::new(1));
        let moved = seen.clone();
        store.on_change(
            &key(),
            std::sync::Arc::new(move |_| {
                moved.fetch_add(1, Ordering::SeqCst);
            }),
        );
        Self { seen }
    }

    /// A number that grows with every change seen.
    pub fn current(&self) -> u64 {
        self.seen.load(Ordering::SeqCst)
    }

    /// The epoch in the store, as of this transaction; reading it makes a later change a conflict.
    pub async fn in_transaction(tx: &Tx) -> Result<i64, StoreError> {
        tx.get_i64(&key()).await.map(Option::unwrap_or_default)
    }
}
