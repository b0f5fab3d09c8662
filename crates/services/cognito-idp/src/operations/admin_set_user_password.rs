use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::Deserialize;

use crate::CognitoIdp;
use crate::administered::{UserInput, change, find};
use crate::error::IdpError;
use crate::records::UserStatus;
use crate::shapes::Nothing;
use crate::sign_in::{forget_failures, seal_password};

/// `AdminSetUserPassword` (Cognito user pools API reference).
pub(crate) struct AdminSetUserPassword;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    #[serde(flatten)]
    user: UserInput,
    password: String,
    #[serde(default)]
    permanent: bool,
}

impl Operation for AdminSetUserPassword {
    type Service = CognitoIdp;
    type Input = Input;
    type Output = Nothing;
    type Error = IdpError;

    const NAME: &'static str = "AdminSetUserPassword";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, CognitoIdp>, input: &Input) -> Permissions {
        super::on_pool(asked, "cognito-idp:AdminSetUserPassword", &input.user.user_pool_id)
    }

    fn run(cx: Cx<CognitoIdp>, input: Input) -> impl Future<Output = Result<Nothing, IdpError>> + Send {
        async move {
            let (pool, seen) = find(&cx, &input.user).await?;
            let policy = pool.password_policy();
            policy.check(&input.password)?;
            let sealed = seal_password(&cx, &pool, &seen.username, &seen.sub, &input.password).await?;
            let until = cx.now().plus_seconds(policy.temporary_password_validity_days * 86_400);
            change(&cx, &input.user, |_, user| {
                if user.sub != seen.sub {
                    return Err(IdpError::NoSuchUser);
                }
                user.set_credential(sealed.clone());
                user.status =
                    if input.permanent { UserStatus::Confirmed } else { UserStatus::ForceChangePassword };
                user.temporary_until = (!input.permanent).then_some(until);
                Ok(())
            })
            .await?;
            forget_failures(&cx, &seen).await?;
            Ok(Nothing {})
        }
    }
}
