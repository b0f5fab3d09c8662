use homeport_service::{Asked, Cx, Effect, Operation, Permissions};

use crate::CognitoIdp;
use crate::administered::{UserInput, change};
use crate::error::IdpError;
use crate::records::UserStatus;
use crate::shapes::Nothing;

/// `AdminConfirmSignUp` (Cognito user pools API reference): confirms without a code; nothing is verified by it.
pub(crate) struct AdminConfirmSignUp;

impl Operation for AdminConfirmSignUp {
    type Service = CognitoIdp;
    type Input = UserInput;
    type Output = Nothing;
    type Error = IdpError;

    const NAME: &'static str = "AdminConfirmSignUp";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, CognitoIdp>, input: &UserInput) -> Permissions {
        super::on_pool(asked, "cognito-idp:AdminConfirmSignUp", &input.user_pool_id)
    }

    fn run(cx: Cx<CognitoIdp>, input: UserInput) -> impl Future<Output = Result<Nothing, IdpError>> + Send {
        async move {
            change(&cx, &input, |_, user| {
                if user.status != UserStatus::Unconfirmed {
                    let status = user.status.as_str();
                    let message = format!("User cannot be confirmed. Current status is {status}");
                    return Err(IdpError::not_authorized(message));
                }
                user.status = UserStatus::Confirmed;
                Ok(())
            })
            .await?;
            Ok(Nothing {})
        }
    }
}
