use homeport_store::{Changes, Key, Store, StoreError, Tx};

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

/// The epoch as this node has heard of it: what caches of policies are valid for.
pub struct AuthorizationEpoch(Changes);

impl AuthorizationEpoch {
    /// Starts to follow the epoch of this store.
    pub fn follow(store: &Store) -> Self {
        Self(store.changes(&key()))
    }

    /// A number that grows with every change heard of, and with every call while others' changes can't be heard. What
    /// is cached by it is read after it.
    pub fn current(&self) -> u64 {
        self.0.current()
    }

    /// The epoch in the store, as of this transaction; reading it makes a later change a conflict.
    pub async fn in_transaction(tx: &Tx) -> Result<i64, StoreError> {
        tx.get_i64(&key()).await.map(Option::unwrap_or_default)
    }
}
