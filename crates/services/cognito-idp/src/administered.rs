//! What administrators do to one user, in one transaction.

use homeport_service::Cx;
use homeport_store::Tx;
use serde::Deserialize;

use crate::CognitoIdp;
use crate::error::IdpError;
use crate::lookup;
use crate::records::{Pool, USERS, User};

/// A pool and a user of it: the whole request of several operations.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UserInput {
    pub(crate) user_pool_id: String,
    pub(crate) username: String,
}

/// Finds the user, has `change` change them, and stores what it left.
pub(crate) async fn change(
    cx: &Cx<CognitoIdp>,
    input: &UserInput,
    change: impl Fn(&Pool, &mut User) -> Result<(), IdpError> + Send + Sync,
) -> Result<(), IdpError> {
    let reference = lookup::named(cx, &input.user_pool_id)?;
    cx.write(|tx| {
        let (reference, change) = (&reference, &change);
        async move {
            let pool = lookup::pool(&tx, reference).await?;
            let mut user = lookup::known_user(&tx, &pool, &input.username).await?;
            change(&pool, &mut user)?;
            user.modified = cx.now();
            Ok(USERS.put(&tx, &user).await?)
        }
    })
    .await
}

/// The pool and the user as they are now.
pub(crate) async fn find(cx: &Cx<CognitoIdp>, input: &UserInput) -> Result<(Pool, User), IdpError> {
    let reference = &lookup::named(cx, &input.user_pool_id)?;
    cx.read(|tx| async move { find_in(&tx, reference, &input.username).await }).await
}

/// The same in a transaction.
pub(crate) async fn find_in(
    tx: &Tx,
    reference: &crate::pool_ref::PoolRef,
    username: &str,
) -> Result<(Pool, User), IdpError> {
    let pool = lookup::pool(tx, reference).await?;
    let user = lookup::known_user(tx, &pool, username).await?;
    Ok((pool, user))
}
