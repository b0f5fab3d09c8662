use homeport_service::{Asked, Cx, Effect, Operation, Permissions};

use super::forgot_password::NO_DESTINATION;
use crate::CognitoIdp;
use crate::administered::{UserInput, find};
use crate::codes::{Purpose, draw_code};
use crate::confirmation::{NewCode, issue};
use crate::error::IdpError;
use crate::lookup;
use crate::messages::{Destination, send_code};
use crate::records::{CodeOwner, USERS, UserStatus};
use crate::shapes::Nothing;

/// `AdminResetUserPassword` (Cognito user pools API reference): the password signs in no more; a code to set another goes
/// to the verified address.
pub(crate) struct AdminResetUserPassword;

impl Operation for AdminResetUserPassword {
    type Service = CognitoIdp;
    type Input = UserInput;
    type Output = Nothing;
    type Error = IdpError;

    const NAME: &'static str = "AdminResetUserPassword";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, CognitoIdp>, input: &UserInput) -> Permissions {
        super::on_pool(asked, "cognito-idp:AdminResetUserPassword", &input.user_pool_id)
    }

    fn run(cx: Cx<CognitoIdp>, input: UserInput) -> impl Future<Output = Result<Nothing, IdpError>> + Send {
        async move {
            let (pool, seen) = find(&cx, &input).await?;
            if !matches!(seen.status, UserStatus::Confirmed | UserStatus::ResetRequired) {
                return Err(IdpError::not_authorized("User password cannot be reset in the current state."));
            }
            let destination =
                Destination::to_recover(&pool, &seen).ok_or_else(|| IdpError::invalid(NO_DESTINATION))?;
            let (code, owner) = (draw_code(&**cx.randomness()), CodeOwner::User(seen.sub.clone()));
            let new = NewCode {
                pool: &pool,
                owner: &owner,
                purpose: &Purpose::Reset,
                code: &code,
                attribute: destination.attribute,
                destination: &destination.address,
            };
            cx.write(|tx| {
                let (cx, new, sub) = (&cx, &new, &seen.sub);
                async move {
                    let mut user = lookup::user_by_sub(&tx, &new.pool.pool, sub).await?;
                    user.status = UserStatus::ResetRequired;
                    user.modified = cx.now();
                    USERS.put(&tx, &user).await?;
                    issue(cx, &tx, *new).await
                }
            })
            .await?;
            send_code(&cx, &pool, &seen, &Purpose::Reset, &destination, &code).await?;
            Ok(Nothing {})
        }
    }
}
