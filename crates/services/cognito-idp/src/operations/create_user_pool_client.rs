use homeport_core::{LOWER_ALPHANUMERIC, draw};
use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use homeport_store::{MAX_PAGE_ROWS, StoreError, Tx};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::CognitoIdp;
use crate::client_shape::{UserPoolClientType, check};
use crate::error::IdpError;
use crate::lookup;
use crate::pool_ref::PoolRef;
use crate::records::{CLIENTS, Client, ClientSettings};

/// App clients that a pool holds (quota of the Cognito developer guide).
const MAX_CLIENTS: usize = 1_000;

/// `CreateUserPoolClient` (Cognito user pools API reference).
pub(crate) struct CreateUserPoolClient;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    user_pool_id: String,
    #[serde(default)]
    generate_secret: bool,
    client_secret: Option<String>,
    analytics_configuration: Option<Value>,
    #[serde(flatten)]
    settings: ClientSettings,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    user_pool_client: UserPoolClientType,
}

impl Operation for CreateUserPoolClient {
    type Service = CognitoIdp;
    type Input = Input;
    type Output = Output;
    type Error = IdpError;

    const NAME: &'static str = "CreateUserPoolClient";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, CognitoIdp>, input: &Input) -> Permissions {
        super::on_pool(asked, "cognito-idp:CreateUserPoolClient", &input.user_pool_id)
    }

    fn run(cx: Cx<CognitoIdp>, input: Input) -> impl Future<Output = Result<Output, IdpError>> + Send {
        async move {
            if input.analytics_configuration.is_some() {
                return Err(IdpError::FeatureUnavailable("AnalyticsConfiguration"));
            }
            let reference = lookup::named(&cx, &input.user_pool_id)?;
            let vault = &cx.service.parts.vault;
            let id = draw(&**cx.randomness(), LOWER_ALPHANUMERIC, 26);
            let drawn = input.generate_secret.then(|| draw(&**cx.randomness(), LOWER_ALPHANUMERIC, 52));
            let secret = match input.client_secret.or(drawn) {
                Some(secret) => Some(lookup::seal_client_secret(vault, &reference, &id, &secret)?),
                None => None,
            };
            let client = Client {
                pool: reference,
                id,
                secret,
                created: cx.now(),
                modified: cx.now(),
                settings: input.settings.completed(),
            };
            cx.write(|tx| {
                let client = &client;
                async move {
                    let pool = lookup::pool(&tx, &client.pool).await?;
                    check(&pool, client)?;
                    if count_clients(&tx, &client.pool).await? >= MAX_CLIENTS {
                        return Err(IdpError::LimitExceeded("Maximum number of user pool clients exceeded."));
                    }
                    CLIENTS.put(&tx, client).await?;
                    Ok(())
                }
            })
            .await?;
            Ok(Output { user_pool_client: UserPoolClientType::of(vault, &client)? })
        }
    }
}

/// How many clients the pool has, over as many of the store's pages as they take.
async fn count_clients(tx: &Tx, pool: &PoolRef) -> Result<usize, StoreError> {
    let (mut count, mut after) = (0, None);
    loop {
        let page = CLIENTS.page(tx, pool.parts(), after.as_deref(), MAX_PAGE_ROWS).await?;
        count += page.records.len();
        match page.cursor {
            Some(cursor) => after = Some(cursor),
            None => return Ok(count),
        }
    }
}
