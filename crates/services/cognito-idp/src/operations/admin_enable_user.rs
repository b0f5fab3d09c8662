//! `AdminEnableUser`, `AdminDisableUser`.

use homeport_service::{Asked, Cx, Effect, Operation, Permissions};

use crate::CognitoIdp;
use crate::administered::{UserInput, change, find_in};
use crate::error::IdpError;
use crate::records::User;
use crate::shapes::Nothing;
use crate::{lookup, removal};

/// `AdminEnableUser` (Cognito user pools API reference).
pub(crate) struct AdminEnableUser;
/// `AdminDisableUser` (Cognito user pools API reference): no sign-in any more, and every token ends.
pub(crate) struct AdminDisableUser;

impl Operation for AdminEnableUser {
    type Service = CognitoIdp;
    type Input = UserInput;
    type Output = Nothing;
    type Error = IdpError;

    const NAME: &'static str = "AdminEnableUser";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, CognitoIdp>, input: &UserInput) -> Permissions {
        super::on_pool(asked, "cognito-idp:AdminEnableUser", &input.user_pool_id)
    }

    fn run(cx: Cx<CognitoIdp>, input: UserInput) -> impl Future<Output = Result<Nothing, IdpError>> + Send {
        async move {
            change(&cx, &input, |_, user| {
                user.enabled = true;
                Ok(())
            })
            .await?;
            Ok(Nothing {})
        }
    }
}

impl Operation for AdminDisableUser {
    type Service = CognitoIdp;
    type Input = UserInput;
    type Output = Nothing;
    type Error = IdpError;

    const NAME: &'static str = "AdminDisableUser";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, CognitoIdp>, input: &UserInput) -> Permissions {
        super::on_pool(asked, "cognito-idp:AdminDisableUser", &input.user_pool_id)
    }

    fn run(cx: Cx<CognitoIdp>, input: UserInput) -> impl Future<Output = Result<Nothing, IdpError>> + Send {
        async move {
            let reference = lookup::named(&cx, &input.user_pool_id)?;
            cx.write(|tx| {
                let (reference, username, now) = (&reference, &input.username, cx.now());
                async move {
                    let (_, user) = find_in(&tx, reference, username).await?;
                    let disabled = User { enabled: false, modified: now, ..user };
                    Ok::<_, IdpError>(removal::sign_out(&tx, &disabled, now).await?)
                }
            })
            .await?;
            Ok(Nothing {})
        }
    }
}
