use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::Deserialize;

use crate::CognitoIdp;
use crate::error::IdpError;
use crate::lookup;
use crate::records::USERS;
use crate::shapes::Nothing;
use crate::sign_in::{check_password, forget_failures, seal_password};

/// `ChangePassword` (Cognito user pools API reference). The present password is counted and locked like a sign-in's.
pub(crate) struct ChangePassword;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    access_token: String,
    previous_password: Option<String>,
    proposed_password: String,
}

impl Operation for ChangePassword {
    type Service = CognitoIdp;
    type Input = Input;
    type Output = Nothing;
    type Error = IdpError;

    const NAME: &'static str = "ChangePassword";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(_: &Asked<'_, CognitoIdp>, input: &Input) -> Permissions {
        super::self_service(&input.access_token)
    }

    fn run(cx: Cx<CognitoIdp>, input: Input) -> impl Future<Output = Result<Nothing, IdpError>> + Send {
        async move {
            let (pool, user) = cx
                .read(|tx| {
                    let cx = &cx;
                    async move { lookup::own(cx, &tx).await }
                })
                .await?;
            let previous = input.previous_password.as_deref();
            let previous =
                previous.ok_or_else(|| IdpError::invalid("Missing required parameter PreviousPassword"))?;
            pool.password_policy().check(&input.proposed_password)?;
            let user = check_password(&cx, &pool, user, previous).await.map_err(|error| match error {
                IdpError::NotAuthorized(message) if message == "Password attempts exceeded" => {
                    IdpError::TooManyAttempts
                }
                other => other,
            })?;
            let sealed =
                seal_password(&cx, &pool, &user.username, &user.sub, &input.proposed_password).await?;
            cx.write(|tx| {
                let (cx, sealed, version) = (&cx, &sealed, user.credential_version);
                async move {
                    let (_, mut user) = lookup::own(cx, &tx).await?;
                    if user.credential_version != version {
                        return Err(IdpError::wrong_password());
                    }
                    user.set_credential(sealed.clone());
                    user.modified = cx.now();
                    Ok(USERS.put(&tx, &user).await?)
                }
            })
            .await?;
            forget_failures(&cx, &user).await?;
            Ok(Nothing {})
        }
    }
}
