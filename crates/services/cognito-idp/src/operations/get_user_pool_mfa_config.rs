use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::{Deserialize, Serialize};

use crate::CognitoIdp;
use crate::error::IdpError;
use crate::lookup;

/// `GetUserPoolMfaConfig` (Cognito user pools API reference).
pub(crate) struct GetUserPoolMfaConfig;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    user_pool_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    mfa_configuration: Option<String>,
}

impl Operation for GetUserPoolMfaConfig {
    type Service = CognitoIdp;
    type Input = Input;
    type Output = Output;
    type Error = IdpError;

    const NAME: &'static str = "GetUserPoolMfaConfig";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, CognitoIdp>, input: &Input) -> Permissions {
        super::on_pool(asked, "cognito-idp:GetUserPoolMfaConfig", &input.user_pool_id)
    }

    fn run(cx: Cx<CognitoIdp>, input: Input) -> impl Future<Output = Result<Output, IdpError>> + Send {
        async move {
            let reference = &lookup::named(&cx, &input.user_pool_id)?;
            let pool = cx.read(|tx| async move { lookup::pool(&tx, reference).await }).await?;
            Ok(Output { mfa_configuration: pool.settings.mfa_configuration })
        }
    }
}
