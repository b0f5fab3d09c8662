use homeport_store::Tx;

use crate::IdentityError;
use crate::records::{IdentityPool, POOLS};

/// The pool of this id.
pub(crate) async fn pool(tx: &Tx, id: &str) -> Result<IdentityPool, IdentityError> {
    POOLS.get(tx, id).await?.ok_or_else(|| IdentityError::NoSuchPool(id.to_owned()))
}
