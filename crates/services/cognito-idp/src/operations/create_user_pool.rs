use homeport_core::{ALPHANUMERIC, draw};
use homeport_service::{Asked, Cx, Effect, Operation, Permission, Permissions};
use serde::{Deserialize, Serialize};

use crate::CognitoIdp;
use crate::attributes::{AskedAttribute, Schema};
use crate::error::IdpError;
use crate::pool_ref::PoolRef;
use crate::pool_shape::{Unbuilt, UserPoolType};
use crate::records::{POOLS, Pool, PoolSettings, UsernameConfiguration};
use crate::signing_keys;

/// User pools that a region holds (quota of the Cognito developer guide).
const MAX_POOLS: usize = 1_000;

/// `CreateUserPool` (Cognito user pools API reference).
pub(crate) struct CreateUserPool;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    pool_name: String,
    #[serde(default)]
    schema: Vec<AskedAttribute>,
    #[serde(default)]
    alias_attributes: Vec<String>,
    #[serde(default)]
    username_attributes: Vec<String>,
    username_configuration: Option<UsernameConfiguration>,
    #[serde(flatten)]
    settings: PoolSettings,
    #[serde(flatten)]
    unbuilt: Unbuilt,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    user_pool: UserPoolType,
}

impl Operation for CreateUserPool {
    type Service = CognitoIdp;
    type Input = Input;
    type Output = Output;
    type Error = IdpError;

    const NAME: &'static str = "CreateUserPool";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, CognitoIdp>, input: &Input) -> Permissions {
        let any_pool = asked.scope.arn("cognito-idp", "userpool/*");
        let mut all = vec![Permission::new("cognito-idp:CreateUserPool", any_pool)];
        all.extend(
            input.settings.handed_role().map(|role| Permission::pass_role(role, "cognito-idp.amazonaws.com")),
        );
        Permissions::All(all)
    }

    fn run(cx: Cx<CognitoIdp>, input: Input) -> impl Future<Output = Result<Output, IdpError>> + Send {
        async move {
            input.unbuilt.check()?;
            if !input.alias_attributes.is_empty() && !input.username_attributes.is_empty() {
                let message =
                    "Only one of the aliasAttributes or usernameAttributes can be set in a user pool.";
                return Err(IdpError::invalid(message));
            }
            let id = format!("{}_{}", cx.scope().region, draw(&**cx.randomness(), ALPHANUMERIC, 9));
            let pool = Pool {
                pool: PoolRef::new(cx.account(), id),
                name: input.pool_name,
                created: cx.now(),
                modified: cx.now(),
                schema: Schema::new(input.schema)?,
                alias_attributes: input.alias_attributes,
                username_attributes: input.username_attributes,
                username_configuration: input.username_configuration,
                settings: input.settings.completed()?,
            };
            let (vault, of, now) = (cx.service.parts.vault.clone(), pool.pool.clone(), cx.now());
            let keys = cx.service.permits.run(move || signing_keys::make(&vault, &of, now)).await??;
            cx.write(|tx| {
                let (pool, keys, cx) = (&pool, &keys, &cx);
                async move {
                    let region = super::list_user_pools::region(cx);
                    if POOLS.page(&tx, region, None, MAX_POOLS).await?.records.len() >= MAX_POOLS {
                        return Err(IdpError::LimitExceeded("Maximum number of user pools exceeded."));
                    }
                    POOLS.put(&tx, pool).await?;
                    signing_keys::put(&tx, keys).await?;
                    Ok(())
                }
            })
            .await?;
            Ok(Output { user_pool: UserPoolType::of(&pool, 0) })
        }
    }
}
