use homeport_core::Scope;
use homeport_store::Tx;

use crate::IdentityError;
use crate::records::{IdentityPool, POOLS};

/// The pool of this id.
pub(crate) async fn pool(tx: &Tx, id: &str) -> Result<IdentityPool, IdentityError> {
    POOLS.get(tx, id).await?.ok_or_else(|| IdentityError::NoSuchPool(id.to_owned()))
}

/// The id of a pool as calls of this scope may name it. Permission is asked on the ARN in the signed region, so a pool
/// of another region isn't there.
pub(crate) fn named<'a>(scope: &Scope, id: &'a str) -> Result<&'a str, IdentityError> {
    if is_of(scope, id) { Ok(id) } else { Err(IdentityError::NoSuchPool(id.to_owned())) }
}

/// Whether a pool or an identity is of this scope's region, with which its id begins.
pub(crate) fn is_of(scope: &Scope, id: &str) -> bool {
    id.split_once(':').is_some_and(|(region, _)| region == scope.region.as_str())
}
