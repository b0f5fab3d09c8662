use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::{Deserialize, Serialize};

use crate::CognitoIdp;
use crate::aliases::claim;
use crate::attributes::{Attribute, Change, default_writable};
use crate::codes::{Purpose, draw_code};
use crate::confirmation::{NewCode, issue};
use crate::error::IdpError;
use crate::lookup;
use crate::messages::{CodeDeliveryDetails, Destination, send_code};
use crate::new_user::{blank, identity, register};
use crate::records::{Client, CodeOwner, Pool, User, UserStatus};
use crate::sign_in::seal_password;

/// `SignUp` (Cognito user pools API reference).
pub(crate) struct SignUp;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    client_id: String,
    secret_hash: Option<String>,
    username: String,
    password: Option<String>,
    #[serde(default)]
    user_attributes: Vec<Attribute>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    user_confirmed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    code_delivery_details: Option<CodeDeliveryDetails>,
    user_sub: String,
}

impl Operation for SignUp {
    type Service = CognitoIdp;
    type Input = Input;
    type Output = Output;
    type Error = IdpError;

    const NAME: &'static str = "SignUp";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(_: &Asked<'_, CognitoIdp>, _: &Input) -> Permissions {
        Permissions::Public
    }

    fn run(cx: Cx<CognitoIdp>, input: Input) -> impl Future<Output = Result<Output, IdpError>> + Send {
        async move {
            cx.service.throttled(&cx)?;
            let hash = input.secret_hash.as_deref();
            let (pool, client) = lookup::proved_app(&cx, &input.client_id, &input.username, hash).await?;
            if pool.is_closed() {
                return Err(IdpError::not_authorized("SignUp is not permitted for this user pool"));
            }
            let (user, code) = sign_up(&cx, &pool, &client, input).await?;
            let destination = Destination::to_confirm(&pool, &user);
            if let Some(destination) = &destination {
                send_code(&cx, &pool, &user, &Purpose::SignUp, destination, &code).await?;
            }
            Ok(Output {
                user_confirmed: false,
                code_delivery_details: destination.map(|destination| destination.details()),
                user_sub: user.sub,
            })
        }
    }
}

/// Stores the user and, where the pool verifies an address, the code that goes there.
async fn sign_up(
    cx: &Cx<CognitoIdp>,
    pool: &Pool,
    client: &Client,
    mut input: Input,
) -> Result<(User, String), IdpError> {
    let password =
        input.password.take().ok_or_else(|| IdpError::invalid("Missing required parameter Password"))?;
    pool.password_policy().check(&password)?;
    let who = identity(cx, pool, &input.username, &mut input.user_attributes)?;
    let mut user = blank(cx, pool, who, UserStatus::Unconfirmed);
    user.take_attributes(&check_attributes(pool, client, &input.user_attributes)?);
    pool.schema.check_required(&user.attributes)?;
    user.set_credential(seal_password(cx, pool, &user.username, &user.sub, &password).await?);
    let code = draw_code(&**cx.randomness());
    let owner = CodeOwner::User(user.sub.clone());
    let user = cx
        .write(|tx| {
            let (user, code, owner) = (&user, &code, &owner);
            async move {
                let mut user = user.clone();
                register(&tx, pool, &user).await?;
                claim(&tx, pool, &mut user, false).await?;
                if let Some(destination) = Destination::to_confirm(pool, &user) {
                    let (attribute, destination) = (destination.attribute, destination.address.as_str());
                    let purpose = &Purpose::SignUp;
                    issue(cx, &tx, NewCode { pool, owner, purpose, code, attribute, destination }).await?;
                }
                Ok::<_, IdpError>(user)
            }
        })
        .await?;
    Ok((user, code))
}

/// What the client may write, and the address that the user signs up with.
fn check_attributes(
    pool: &Pool,
    client: &Client,
    given: &[Attribute],
) -> Result<crate::attributes::Attributes, IdpError> {
    let mut writable =
        client.settings.write_attributes.clone().unwrap_or_else(|| default_writable(&pool.schema));
    writable.extend(pool.username_attributes.iter().cloned());
    Ok(Change { schema: &pool.schema, writable: Some(&writable), exists: false }.check(given)?)
}
