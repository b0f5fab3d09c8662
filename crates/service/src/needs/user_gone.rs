use homeport_core::BoxFuture;
use homeport_store::{StoreError, Tx};

/// A user of a user pool who is being deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoneUser {
    /// The pool.
    pub user_pool_id: String,
    /// The user's `sub`, which nobody else ever has.
    pub sub: String,
    /// The user's name, which another may take.
    pub username: String,
}

/// What others keep of a user → removed with the user (security decision 31). Met by cognito-identity, and by the
/// program for its messages.
pub trait UserGone: Send + Sync {
    /// Removes it in the transaction that deletes the user.
    fn user_gone<'a>(&'a self, tx: &'a Tx, user: &'a GoneUser) -> BoxFuture<'a, Result<(), StoreError>>;
}
