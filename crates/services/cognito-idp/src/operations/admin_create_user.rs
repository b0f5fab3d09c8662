use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::CognitoIdp;
use crate::administered::UserInput;
use crate::aliases::claim;
use crate::attributes::{Attribute, Change};
use crate::error::IdpError;
use crate::lookup;
use crate::messages::{Destination, send_invitation};
use crate::new_user::{blank, identity, register};
use crate::password::draw_temporary;
use crate::records::{Pool, USERS, User, UserStatus};
use crate::shapes::UserType;
use crate::sign_in::seal_password;

/// `AdminCreateUser` (Cognito user pools API reference): invites somebody, with a temporary password.
pub(crate) struct AdminCreateUser;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    #[serde(flatten)]
    user: UserInput,
    #[serde(default)]
    user_attributes: Vec<Attribute>,
    temporary_password: Option<String>,
    #[serde(default)]
    force_alias_creation: bool,
    message_action: Option<String>,
    #[serde(default)]
    desired_delivery_mediums: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    user: UserType,
}

impl Operation for AdminCreateUser {
    type Service = CognitoIdp;
    type Input = Input;
    type Output = Output;
    type Error = IdpError;

    const NAME: &'static str = "AdminCreateUser";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, CognitoIdp>, input: &Input) -> Permissions {
        super::on_pool(asked, "cognito-idp:AdminCreateUser", &input.user.user_pool_id)
    }

    fn run(cx: Cx<CognitoIdp>, input: Input) -> impl Future<Output = Result<Output, IdpError>> + Send {
        async move {
            let reference = &lookup::named(&cx, &input.user.user_pool_id)?;
            let pool = cx.read(|tx| async move { lookup::pool(&tx, reference).await }).await?;
            let policy = pool.password_policy();
            let password = match &input.temporary_password {
                Some(password) => {
                    policy.check(password)?;
                    Zeroizing::new(password.clone())
                }
                None => draw_temporary(&policy, &**cx.randomness()),
            };
            let user = match input.message_action.as_deref() {
                Some("RESEND") => invite_again(&cx, &pool, &input.user.username, &password).await?,
                _ => invite(&cx, &pool, &input, &password).await?,
            };
            if input.message_action.as_deref() != Some("SUPPRESS") {
                for destination in destinations(&user, &input.desired_delivery_mediums)? {
                    send_invitation(&cx, &pool, &user, &destination, &password).await?;
                }
            }
            Ok(Output { user: UserType::of(&user) })
        }
    }
}

async fn invite(cx: &Cx<CognitoIdp>, pool: &Pool, input: &Input, password: &str) -> Result<User, IdpError> {
    let mut given = input.user_attributes.clone();
    let who = identity(cx, pool, &input.user.username, &mut given)?;
    let mut user = blank(cx, pool, who, UserStatus::ForceChangePassword);
    user.take_attributes(&Change { schema: &pool.schema, writable: None, exists: false }.check(&given)?);
    with_password(cx, pool, &mut user, password).await?;
    cx.write(|tx| {
        let user = &user;
        async move {
            let mut user = user.clone();
            register(&tx, pool, &user).await.map_err(|error| match error {
                IdpError::UsernameExists("User already exists") => {
                    IdpError::UsernameExists("User account already exists")
                }
                other => other,
            })?;
            claim(&tx, pool, &mut user, input.force_alias_creation).await?;
            Ok(user)
        }
    })
    .await
}

/// A new temporary password for somebody who has not signed in yet.
async fn invite_again(
    cx: &Cx<CognitoIdp>,
    pool: &Pool,
    name: &str,
    password: &str,
) -> Result<User, IdpError> {
    let mut invited = cx.read(|tx| async move { lookup::known_user(&tx, pool, name).await }).await?;
    with_password(cx, pool, &mut invited, password).await?;
    cx.write(|tx| {
        let invited = &invited;
        async move {
            let before = lookup::user_by_sub(&tx, &pool.pool, &invited.sub).await?;
            if before.status != UserStatus::ForceChangePassword {
                let message = "Resend not possible. User is not in the FORCE_CHANGE_PASSWORD state";
                return Err(IdpError::UnsupportedUserState(message));
            }
            let user = User {
                credential: invited.credential.clone(),
                credential_version: before.credential_version + 1,
                temporary_until: invited.temporary_until,
                modified: cx.now(),
                ..before
            };
            USERS.put(&tx, &user).await?;
            Ok(user)
        }
    })
    .await
}

async fn with_password(
    cx: &Cx<CognitoIdp>,
    pool: &Pool,
    user: &mut User,
    password: &str,
) -> Result<(), IdpError> {
    user.set_credential(seal_password(cx, pool, &user.username, &user.sub, password).await?);
    let days = pool.password_policy().temporary_password_validity_days;
    user.temporary_until = Some(cx.now().plus_seconds(days * 86_400));
    Ok(())
}

/// Where the invitation goes: as asked; otherwise to the phone or, without one, by mail.
fn destinations(user: &User, mediums: &[String]) -> Result<Vec<Destination>, IdpError> {
    let by_phone = || Destination::of(user, "phone_number");
    let by_mail = || Destination::of(user, "email");
    if mediums.is_empty() {
        return Ok(by_phone().or_else(by_mail).into_iter().collect());
    }
    mediums
        .iter()
        .map(|medium| {
            let found = if medium == "EMAIL" { by_mail() } else { by_phone() };
            found.ok_or_else(|| IdpError::invalid(format!("The user has no address for {medium}.")))
        })
        .collect()
}
