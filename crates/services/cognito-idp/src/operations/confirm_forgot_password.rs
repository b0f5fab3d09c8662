use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::Deserialize;

use crate::codes::Purpose;
use crate::confirmation::try_code;
use crate::error::IdpError;
use crate::records::{USERS, UserStatus};
use crate::shapes::Nothing;
use crate::sign_in::{forget_failures, seal_password};
use crate::{CognitoIdp, code_owner, lookup};

/// `ConfirmForgotPassword` (Cognito user pools API reference).
pub(crate) struct ConfirmForgotPassword;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    client_id: String,
    secret_hash: Option<String>,
    username: String,
    confirmation_code: String,
    password: String,
}

impl Operation for ConfirmForgotPassword {
    type Service = CognitoIdp;
    type Input = Input;
    type Output = Nothing;
    type Error = IdpError;

    const NAME: &'static str = "ConfirmForgotPassword";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(_: &Asked<'_, CognitoIdp>, _: &Input) -> Permissions {
        Permissions::Public
    }

    fn run(cx: Cx<CognitoIdp>, input: Input) -> impl Future<Output = Result<Nothing, IdpError>> + Send {
        async move {
            cx.service.throttled(&cx)?;
            let hash = input.secret_hash.as_deref();
            let (pool, client) = lookup::proved_app(&cx, &input.client_id, &input.username, hash).await?;
            pool.password_policy().check(&input.password)?;
            let (owner, user) = code_owner::find(&cx, &pool, &input.username).await?;
            if user.is_none() && !client.hides_users() {
                return Err(IdpError::NoSuchUser);
            }
            // The password is computed before the code is tried, whoever it is: a busy server then costs nobody
            // their code, and the time tells nothing.
            let (name, sub) = match &user {
                Some(user) => (user.username.as_str(), user.sub.as_str()),
                None => (input.username.as_str(), ""),
            };
            let sealed = seal_password(&cx, &pool, name, sub, &input.password).await?;
            let proved = try_code(&cx, &pool, &owner, &Purpose::Reset, &input.confirmation_code).await?;
            let user = user.filter(|user| user.enabled).ok_or(IdpError::CodeExpired)?;
            cx.write(|tx| {
                let (sealed, pool, sub, proved, now) = (&sealed, &pool.pool, &user.sub, &proved, cx.now());
                async move {
                    let mut user = lookup::user_by_sub(&tx, pool, sub).await?;
                    if user.attributes.get(&proved.attribute) != Some(&proved.destination) {
                        return Err(IdpError::CodeExpired);
                    }
                    user.set_credential(sealed.clone());
                    user.status = UserStatus::Confirmed;
                    user.modified = now;
                    Ok(USERS.put(&tx, &user).await?)
                }
            })
            .await?;
            forget_failures(&cx, &user).await?;
            Ok(Nothing {})
        }
    }
}
