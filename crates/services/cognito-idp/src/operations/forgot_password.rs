use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::{Deserialize, Serialize};

use crate::codes::Purpose;
use crate::error::IdpError;
use crate::messages::{CodeDeliveryDetails, Destination};
use crate::records::{User, UserStatus};
use crate::{CognitoIdp, code_owner, lookup};

/// `ForgotPassword` (Cognito user pools API reference): a code goes to the stored, verified address and nowhere else.
pub(crate) struct ForgotPassword;

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

impl Operation for ForgotPassword {
    type Service = CognitoIdp;
    type Input = Input;
    type Output = Output;
    type Error = IdpError;

    const NAME: &'static str = "ForgotPassword";
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
            let destination = user.as_ref().and_then(|user| Destination::to_recover(&pool, user));
            if !client.hides_users() {
                say_why_not(user.as_ref(), destination.as_ref())?;
            }
            let user = user.filter(may_recover);
            let recipient = user.as_ref().zip(destination.as_ref());
            let purpose = Purpose::Reset;
            let code_delivery_details =
                code_owner::issue_by_name(&cx, &pool, &input.username, &purpose, &owner, recipient).await?;
            Ok(Output { code_delivery_details })
        }
    }
}

fn may_recover(user: &User) -> bool {
    user.enabled && matches!(user.status, UserStatus::Confirmed | UserStatus::ResetRequired)
}

/// Where a client does not hide users, what stands in the way is said.
fn say_why_not(user: Option<&User>, destination: Option<&Destination>) -> Result<(), IdpError> {
    let user = user.ok_or(IdpError::NoSuchUser)?;
    if !user.enabled {
        return Err(IdpError::not_authorized("User is disabled."));
    }
    if !may_recover(user) {
        return Err(IdpError::not_authorized("User password cannot be reset in the current state."));
    }
    if destination.is_none() {
        return Err(IdpError::invalid(NO_DESTINATION));
    }
    Ok(())
}

/// What is answered where no code can go anywhere.
pub(super) const NO_DESTINATION: &str =
    "Cannot reset password for the user as there is no registered/verified email or phone_number";
