use homeport_service::{Asked, Cx, Effect, Operation, Permission, Permissions};
use serde::Deserialize;

use crate::CognitoIdp;
use crate::error::IdpError;
use crate::lookup;
use crate::pool_ref::PoolRef;
use crate::pool_shape::Unbuilt;
use crate::records::{POOLS, PoolSettings};
use crate::shapes::Nothing;

/// `UpdateUserPool` (Cognito user pools API reference): what isn't named becomes the default again.
pub(crate) struct UpdateUserPool;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    user_pool_id: String,
    pool_name: Option<String>,
    #[serde(flatten)]
    settings: PoolSettings,
    #[serde(flatten)]
    unbuilt: Unbuilt,
}

impl Operation for UpdateUserPool {
    type Service = CognitoIdp;
    type Input = Input;
    type Output = Nothing;
    type Error = IdpError;

    const NAME: &'static str = "UpdateUserPool";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, CognitoIdp>, input: &Input) -> Permissions {
        let pool = PoolRef::new(asked.scope.account, &input.user_pool_id).arn();
        let mut all = vec![Permission::new("cognito-idp:UpdateUserPool", pool)];
        all.extend(
            input.settings.handed_role().map(|role| Permission::pass_role(role, "cognito-idp.amazonaws.com")),
        );
        Permissions::All(all)
    }

    fn run(cx: Cx<CognitoIdp>, input: Input) -> impl Future<Output = Result<Nothing, IdpError>> + Send {
        async move {
            input.unbuilt.check()?;
            let reference = lookup::named(&cx, &input.user_pool_id)?;
            let settings = input.settings.completed()?;
            cx.write(|tx| {
                let (reference, settings, name, now) = (&reference, &settings, &input.pool_name, cx.now());
                async move {
                    let mut pool = lookup::pool(&tx, reference).await?;
                    pool.settings = settings.clone();
                    if let Some(name) = name {
                        pool.name.clone_from(name);
                    }
                    pool.modified = now;
                    POOLS.put(&tx, &pool).await?;
                    Ok::<_, IdpError>(())
                }
            })
            .await?;
            Ok(Nothing {})
        }
    }
}
