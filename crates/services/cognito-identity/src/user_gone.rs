//! What goes with a user of a user pool: the identities that only this user's sign-ins lead to.

use homeport_core::BoxFuture;
use homeport_service::needs::{GoneUser, UserGone};
use homeport_store::{MAX_PAGE_ROWS, StoreError, Tx};

use crate::CognitoIdentity;
use crate::records::{IDENTITIES, Identity, user_key};

impl UserGone for CognitoIdentity {
    fn user_gone<'a>(&'a self, tx: &'a Tx, user: &'a GoneUser) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(forget(tx, user))
    }
}

async fn forget(tx: &Tx, user: &GoneUser) -> Result<(), StoreError> {
    loop {
        let key = user_key(&user.user_pool_id, &user.sub);
        let page = IDENTITIES.page_by(tx, "user", key, None, MAX_PAGE_ROWS).await?;
        for identity in &page.records {
            unlink(tx, identity, user).await?;
        }
        if page.records.is_empty() {
            return Ok(());
        }
    }
}

/// Takes the user's login away; an identity that none leads to any more goes.
async fn unlink(tx: &Tx, identity: &Identity, user: &GoneUser) -> Result<(), StoreError> {
    let mut left = identity.clone();
    left.logins.retain(|login| (&login.user_pool_id, &login.sub) != (&user.user_pool_id, &user.sub));
    match left.logins.is_empty() {
        true => IDENTITIES.delete(tx, &identity.id).await.map(|_| ()),
        false => IDENTITIES.put(tx, &left).await,
    }
}
