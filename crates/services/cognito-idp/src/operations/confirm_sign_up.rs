use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::Deserialize;

use crate::aliases::claim;
use crate::codes::Purpose;
use crate::confirmation::{give_back, try_code};
use crate::error::IdpError;
use crate::records::{CodeRecord, Pool, UserStatus};
use crate::shapes::Nothing;
use crate::{CognitoIdp, code_owner, lookup};

/// `ConfirmSignUp` (Cognito user pools API reference).
pub(crate) struct ConfirmSignUp;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    client_id: String,
    secret_hash: Option<String>,
    username: String,
    confirmation_code: String,
    #[serde(default)]
    force_alias_creation: bool,
}

impl Operation for ConfirmSignUp {
    type Service = CognitoIdp;
    type Input = Input;
    type Output = Nothing;
    type Error = IdpError;

    const NAME: &'static str = "ConfirmSignUp";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(_: &Asked<'_, CognitoIdp>, _: &Input) -> Permissions {
        Permissions::Public
    }

    fn run(cx: Cx<CognitoIdp>, input: Input) -> impl Future<Output = Result<Nothing, IdpError>> + Send {
        async move {
            cx.service.throttled(&cx)?;
            let hash = input.secret_hash.as_deref();
            let (pool, client) = lookup::proved_app(&cx, &input.client_id, &input.username, hash).await?;
            let (owner, user) = code_owner::find(&cx, &pool, &input.username).await?;
            match &user {
                None if !client.hides_users() => return Err(IdpError::NoSuchUser),
                Some(user) if user.status != UserStatus::Unconfirmed => {
                    let status = user.status.as_str();
                    let message = format!("User cannot be confirmed. Current status is {status}");
                    return Err(IdpError::not_authorized(message));
                }
                _ => {}
            }
            let code = &input.confirmation_code;
            let proved = try_code(&cx, &pool, &owner, &Purpose::SignUp, code).await?;
            let user = user.ok_or(IdpError::CodeExpired)?;
            let confirmed = confirm(&cx, &pool, &user.sub, &proved, input.force_alias_creation).await;
            if matches!(confirmed, Err(IdpError::AliasExists(_))) {
                // The same code, with ForceAliasCreation, is how a client goes on from here.
                give_back(&cx, &pool, &proved, code).await?;
            }
            confirmed.map(|()| Nothing {})
        }
    }
}

/// Confirms the user; the address that the code went to is proved, if it is still theirs.
async fn confirm(
    cx: &Cx<CognitoIdp>,
    pool: &Pool,
    sub: &str,
    proved: &CodeRecord,
    force: bool,
) -> Result<(), IdpError> {
    cx.write(|tx| async move {
        let mut user = lookup::user_by_sub(&tx, &pool.pool, sub).await?;
        user.status = UserStatus::Confirmed;
        user.modified = cx.now();
        if user.attributes.get(&proved.attribute) == Some(&proved.destination) {
            user.attributes.insert(format!("{}_verified", proved.attribute), "true".into());
        }
        claim(&tx, pool, &mut user, force).await
    })
    .await
}
