use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::{Deserialize, Serialize};

use crate::CognitoIdp;
use crate::error::IdpError;
use crate::lookup;
use crate::pool_shape::UserPoolType;
use crate::records::user_count;

/// `DescribeUserPool` (Cognito user pools API reference).
pub(crate) struct DescribeUserPool;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    user_pool_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    user_pool: UserPoolType,
}

impl Operation for DescribeUserPool {
    type Service = CognitoIdp;
    type Input = Input;
    type Output = Output;
    type Error = IdpError;

    const NAME: &'static str = "DescribeUserPool";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, CognitoIdp>, input: &Input) -> Permissions {
        super::on_pool(asked, "cognito-idp:DescribeUserPool", &input.user_pool_id)
    }

    fn run(cx: Cx<CognitoIdp>, input: Input) -> impl Future<Output = Result<Output, IdpError>> + Send {
        async move {
            let reference = &lookup::named(&cx, &input.user_pool_id)?;
            cx.read(|tx| async move {
                let pool = lookup::pool(&tx, reference).await?;
                let users = tx.get_i64(&user_count(reference)).await?.unwrap_or(0);
                Ok(Output { user_pool: UserPoolType::of(&pool, users.max(0)) })
            })
            .await
        }
    }
}
