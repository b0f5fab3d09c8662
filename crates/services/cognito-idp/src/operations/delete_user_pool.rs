use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use homeport_store::{MAX_PAGE_ROWS, StoreError, Tx};
use serde::Deserialize;

use crate::CognitoIdp;
use crate::error::IdpError;
use crate::lookup;
use crate::pool_ref::PoolRef;
use crate::records::{CLIENTS, KEYS, POOLS, grave};
use crate::shapes::Nothing;

/// `DeleteUserPool` (Cognito user pools API reference): pool, keys and app clients are gone at once, so that nothing of it
/// verifies or signs in any more; a job removes the users.
pub(crate) struct DeleteUserPool;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    user_pool_id: String,
}

impl Operation for DeleteUserPool {
    type Service = CognitoIdp;
    type Input = Input;
    type Output = Nothing;
    type Error = IdpError;

    const NAME: &'static str = "DeleteUserPool";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, CognitoIdp>, input: &Input) -> Permissions {
        super::on_pool(asked, "cognito-idp:DeleteUserPool", &input.user_pool_id)
    }

    fn run(cx: Cx<CognitoIdp>, input: Input) -> impl Future<Output = Result<Nothing, IdpError>> + Send {
        async move {
            let reference = lookup::named(&cx, &input.user_pool_id)?;
            cx.write(|tx| {
                let reference = &reference;
                async move {
                    let pool = lookup::pool(&tx, reference).await?;
                    if pool.settings.deletion_protection.as_deref() == Some("ACTIVE") {
                        let message = "The user pool cannot be deleted because deletion protection is activated. \
                                       Deletion protection must be inactivated first.";
                        return Err(IdpError::invalid(message));
                    }
                    delete_clients(&tx, reference).await?;
                    KEYS.delete(&tx, reference.parts()).await?;
                    POOLS.delete(&tx, reference.parts()).await?;
                    tx.put(&grave(reference), Vec::new())?;
                    Ok(())
                }
            })
            .await?;
            cx.service.bury(reference);
            Ok(Nothing {})
        }
    }
}

/// All of them; a page of the store is bounded by bytes too.
async fn delete_clients(tx: &Tx, pool: &PoolRef) -> Result<(), StoreError> {
    loop {
        let clients = CLIENTS.page(tx, pool.parts(), None, MAX_PAGE_ROWS).await?.records;
        for client in &clients {
            CLIENTS.delete(tx, pool.parts().str(&client.id)).await?;
        }
        if clients.is_empty() {
            return Ok(());
        }
    }
}
