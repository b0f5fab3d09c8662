use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::Deserialize;

use crate::CognitoIdp;
use crate::error::IdpError;
use crate::lookup;
use crate::records::{Client, Pool};
use crate::sign_in::{
    Flow, FlowSet, Parameters, Progress, RefreshedBy, open_srp, refresh, required, sign_in_with_password,
};

/// `InitiateAuth` (Cognito user pools API reference).
pub(crate) struct InitiateAuth;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    auth_flow: String,
    #[serde(default)]
    auth_parameters: Parameters,
    client_id: String,
}

impl Operation for InitiateAuth {
    type Service = CognitoIdp;
    type Input = Input;
    type Output = Progress;
    type Error = IdpError;

    const NAME: &'static str = "InitiateAuth";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(_: &Asked<'_, CognitoIdp>, _: &Input) -> Permissions {
        Permissions::Public
    }

    fn run(cx: Cx<CognitoIdp>, input: Input) -> impl Future<Output = Result<Progress, IdpError>> + Send {
        async move {
            let (pool, client) = lookup::app(&cx, &input.client_id).await?;
            let flow = FlowSet::Public.choose(&input.auth_flow, &client)?;
            follow(&cx, &pool, &client, flow, &input.auth_parameters).await
        }
    }
}

/// The first step of a flow.
pub(super) async fn follow(
    cx: &Cx<CognitoIdp>,
    pool: &Pool,
    client: &Client,
    flow: Flow,
    parameters: &Parameters,
) -> Result<Progress, IdpError> {
    match flow {
        Flow::Srp => open_srp(cx, pool, client, parameters).await,
        Flow::Password => sign_in_with_password(cx, pool, client, parameters).await,
        Flow::Refresh => {
            let token = required(parameters, "REFRESH_TOKEN")?;
            let by = RefreshedBy::SecretHash(parameters.get("SECRET_HASH").map(String::as_str));
            Ok(Progress::done(refresh(cx, pool, client, token, by).await?))
        }
    }
}
