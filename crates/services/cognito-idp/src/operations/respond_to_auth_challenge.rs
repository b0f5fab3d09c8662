use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::Deserialize;

use crate::CognitoIdp;
use crate::error::IdpError;
use crate::lookup;
use crate::records::{Client, Pool};
use crate::sign_in::{Parameters, Progress, answer_new_password, answer_srp};

/// `RespondToAuthChallenge` (Cognito user pools API reference).
pub(crate) struct RespondToAuthChallenge;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    client_id: String,
    #[serde(flatten)]
    answer: Answer,
}

/// What is answered to a challenge.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Answer {
    challenge_name: String,
    session: Option<String>,
    #[serde(default)]
    challenge_responses: Parameters,
}

impl Operation for RespondToAuthChallenge {
    type Service = CognitoIdp;
    type Input = Input;
    type Output = Progress;
    type Error = IdpError;

    const NAME: &'static str = "RespondToAuthChallenge";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(_: &Asked<'_, CognitoIdp>, _: &Input) -> Permissions {
        Permissions::Public
    }

    fn run(cx: Cx<CognitoIdp>, input: Input) -> impl Future<Output = Result<Progress, IdpError>> + Send {
        async move {
            let (pool, client) = lookup::app(&cx, &input.client_id).await?;
            judge(&cx, &pool, &client, &input.answer).await
        }
    }
}

/// Judges an answer.
pub(super) async fn judge(
    cx: &Cx<CognitoIdp>,
    pool: &Pool,
    client: &Client,
    answer: &Answer,
) -> Result<Progress, IdpError> {
    let responses = &answer.challenge_responses;
    match answer.challenge_name.as_str() {
        "PASSWORD_VERIFIER" => answer_srp(cx, pool, client, responses).await,
        "NEW_PASSWORD_REQUIRED" => {
            answer_new_password(cx, pool, client, answer.session.as_deref(), responses).await
        }
        other => Err(IdpError::invalid(format!("The challenge {other} was not asked."))),
    }
}
