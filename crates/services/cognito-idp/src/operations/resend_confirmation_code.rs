use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::{Deserialize, Serialize};

use crate::codes::Purpose;
use crate::error::IdpError;
use crate::messages::{CodeDeliveryDetails, Destination};
use crate::records::UserStatus;
use crate::{CognitoIdp, code_owner, lookup};

/// `ResendConfirmationCode` (Cognito user pools API reference).
pub(crate) struct ResendConfirmationCode;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    client_id: String,
    secret_hash: Option<String>,
    username: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    code_delivery_details: CodeDeliveryDetails,
}

impl Operation for ResendConfirmationCode {
    type Service = CognitoIdp;
    type Input = Input;
    type Output = Output;
    type Error = IdpError;

    const NAME: &'static str = "ResendConfirmationCode";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(_: &Asked<'_, CognitoIdp>, _: &Input) -> Permissions {
        Permissions::Public
    }

    fn run(cx: Cx<CognitoIdp>, input: Input) -> impl Future<Output = Result<Output, IdpError>> + Send {
        async move {
            cx.service.throttled(&cx)?;
            let hash = input.secret_hash.as_deref();
            let (pool, client) = lookup::proved_app(&cx, &input.client_id, &input.username, hash).await?;
            let (owner, user) = code_owner::find(&cx, &pool, &input.username).await?;
            if user.is_none() && !client.hides_users() {
                return Err(IdpError::NoSuchUser);
            }
            if user.as_ref().is_some_and(|user| user.status != UserStatus::Unconfirmed) {
                return Err(IdpError::invalid("User is already confirmed."));
            }
            let user = user.filter(|user| user.enabled);
            let destination = user.as_ref().and_then(|user| Destination::to_confirm(&pool, user));
            let recipient = user.as_ref().zip(destination.as_ref());
            let purpose = Purpose::SignUp;
            let code_delivery_details =
                code_owner::issue_by_name(&cx, &pool, &input.username, &purpose, &owner, recipient).await?;
            Ok(Output { code_delivery_details })
        }
    }
}
