use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::Deserialize;

use crate::CognitoIdp;
use crate::attributes::AskedAttribute;
use crate::error::IdpError;
use crate::lookup;
use crate::records::POOLS;
use crate::shapes::Nothing;

/// `AddCustomAttributes` (Cognito user pools API reference).
pub(crate) struct AddCustomAttributes;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    user_pool_id: String,
    custom_attributes: Vec<AskedAttribute>,
}

impl Operation for AddCustomAttributes {
    type Service = CognitoIdp;
    type Input = Input;
    type Output = Nothing;
    type Error = IdpError;

    const NAME: &'static str = "AddCustomAttributes";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, CognitoIdp>, input: &Input) -> Permissions {
        super::on_pool(asked, "cognito-idp:AddCustomAttributes", &input.user_pool_id)
    }

    fn run(cx: Cx<CognitoIdp>, input: Input) -> impl Future<Output = Result<Nothing, IdpError>> + Send {
        async move {
            let reference = lookup::named(&cx, &input.user_pool_id)?;
            cx.write(|tx| {
                let (reference, added, now) = (&reference, &input.custom_attributes, cx.now());
                async move {
                    let mut pool = lookup::pool(&tx, reference).await?;
                    for attribute in added {
                        pool.schema.add(attribute.clone())?;
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
