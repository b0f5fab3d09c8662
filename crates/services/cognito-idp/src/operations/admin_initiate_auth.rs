//! Sign-in from a server that has IAM credentials: `AdminInitiateAuth`, `AdminRespondToAuthChallenge`.

use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::Deserialize;

use super::initiate_auth::follow;
use super::respond_to_auth_challenge::{Answer, judge};
use crate::CognitoIdp;
use crate::error::IdpError;
use crate::lookup;
use crate::sign_in::{FlowSet, Parameters, Progress};

/// `AdminInitiateAuth` (Cognito user pools API reference).
pub(crate) struct AdminInitiateAuth;
/// `AdminRespondToAuthChallenge` (Cognito user pools API reference).
pub(crate) struct AdminRespondToAuthChallenge;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct InitiateInput {
    user_pool_id: String,
    client_id: String,
    auth_flow: String,
    #[serde(default)]
    auth_parameters: Parameters,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RespondInput {
    user_pool_id: String,
    client_id: String,
    #[serde(flatten)]
    answer: Answer,
}

impl Operation for AdminInitiateAuth {
    type Service = CognitoIdp;
    type Input = InitiateInput;
    type Output = Progress;
    type Error = IdpError;

    const NAME: &'static str = "AdminInitiateAuth";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, CognitoIdp>, input: &InitiateInput) -> Permissions {
        super::on_pool(asked, "cognito-idp:AdminInitiateAuth", &input.user_pool_id)
    }

    fn run(
        cx: Cx<CognitoIdp>,
        input: InitiateInput,
    ) -> impl Future<Output = Result<Progress, IdpError>> + Send {
        async move {
            let (pool, client) = lookup::app_of(&cx, &input.user_pool_id, &input.client_id).await?;
            let flow = FlowSet::Admin.choose(&input.auth_flow, &client)?;
            follow(&cx, &pool, &client, flow, &input.auth_parameters).await
        }
    }
}

impl Operation for AdminRespondToAuthChallenge {
    type Service = CognitoIdp;
    type Input = RespondInput;
    type Output = Progress;
    type Error = IdpError;

    const NAME: &'static str = "AdminRespondToAuthChallenge";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, CognitoIdp>, input: &RespondInput) -> Permissions {
        super::on_pool(asked, "cognito-idp:AdminRespondToAuthChallenge", &input.user_pool_id)
    }

    fn run(
        cx: Cx<CognitoIdp>,
        input: RespondInput,
    ) -> impl Future<Output = Result<Progress, IdpError>> + Send {
        async move {
            let (pool, client) = lookup::app_of(&cx, &input.user_pool_id, &input.client_id).await?;
            judge(&cx, &pool, &client, &input.answer).await
        }
    }
}
