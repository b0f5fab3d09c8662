use homeport_core::BoxFuture;
use homeport_service::needs::IdentityStands;
use homeport_store::StoreError;

use crate::CognitoIdentity;
use crate::records::{IDENTITIES, POOLS};

impl IdentityStands for CognitoIdentity {
    fn identity_stands<'a>(
        &'a self,
        identity_pool_id: &'a str,
        identity_id: &'a str,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(self.store.read(move |tx| async move {
            // The pool goes first when it is deleted, so it is asked too.
            let pool = POOLS.get(&tx, identity_pool_id).await?;
            let identity = IDENTITIES.get(&tx, identity_id).await?;
            Ok(pool.is_some() && identity.is_some_and(|identity| identity.pool_id == identity_pool_id))
        }))
    }
}
