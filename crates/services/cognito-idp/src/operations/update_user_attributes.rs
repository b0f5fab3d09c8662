//! What users change about themselves: `UpdateUserAttributes`, `DeleteUserAttributes`.

use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use homeport_store::Tx;
use serde::{Deserialize, Serialize};

use crate::CognitoIdp;
use crate::aliases::claim;
use crate::attributes::{Attribute, Change, default_writable};
use crate::codes::{Purpose, draw_code};
use crate::confirmation::{NewCode, issue};
use crate::error::IdpError;
use crate::lookup;
use crate::messages::{CodeDeliveryDetails, Destination, send_code};
use crate::records::{CodeOwner, Pool, User};
use crate::shapes::Nothing;

/// `UpdateUserAttributes` (Cognito user pools API reference): a new address is unproved, and a code goes to it where the
/// pool verifies addresses.
pub(crate) struct UpdateUserAttributes;
/// `DeleteUserAttributes` (Cognito user pools API reference).
pub(crate) struct DeleteUserAttributes;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UpdateInput {
    access_token: String,
    user_attributes: Vec<Attribute>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DeleteInput {
    access_token: String,
    user_attribute_names: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UpdateOutput {
    code_delivery_details_list: Vec<CodeDeliveryDetails>,
}

/// The addresses that codes can prove.
const ADDRESSES: [&str; 2] = ["email", "phone_number"];

impl Operation for UpdateUserAttributes {
    type Service = CognitoIdp;
    type Input = UpdateInput;
    type Output = UpdateOutput;
    type Error = IdpError;

    const NAME: &'static str = "UpdateUserAttributes";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(_: &Asked<'_, CognitoIdp>, input: &UpdateInput) -> Permissions {
        super::self_service(&input.access_token)
    }

    fn run(
        cx: Cx<CognitoIdp>,
        input: UpdateInput,
    ) -> impl Future<Output = Result<UpdateOutput, IdpError>> + Send {
        async move {
            let codes = ADDRESSES.map(|_| draw_code(&**cx.randomness()));
            let (pool, user, sent) = cx
                .write(|tx| {
                    let (cx, asked, codes) = (&cx, &input.user_attributes, &codes);
                    async move { update(cx, &tx, asked, codes).await }
                })
                .await?;
            let mut code_delivery_details_list = Vec::new();
            for (destination, code) in &sent {
                let purpose = Purpose::Attribute(destination.attribute.to_owned());
                send_code(&cx, &pool, &user, &purpose, destination, code).await?;
                code_delivery_details_list.push(destination.details());
            }
            Ok(UpdateOutput { code_delivery_details_list })
        }
    }
}

/// Changes the attributes, and issues the codes that are to be sent.
async fn update(
    cx: &Cx<CognitoIdp>,
    tx: &Tx,
    asked: &[Attribute],
    codes: &[String; 2],
) -> Result<(Pool, User, Vec<(Destination, String)>), IdpError> {
    let (pool, before) = lookup::own(cx, tx).await?;
    let writable = writable(cx, tx, &pool).await?;
    let change = Change { schema: &pool.schema, writable: Some(&writable), exists: true };
    let mut taken = change.check(asked)?;
    let mut user = before.clone();
    let held_back = pool.settings.user_attribute_update_settings.clone().unwrap_or_default();
    for attribute in held_back.attributes_require_verification_before_update {
        let changes =
            taken.get(&attribute).is_some_and(|value| before.attributes.get(&attribute) != Some(value));
        if changes && let Some(value) = taken.remove(&attribute) {
            user.pending.insert(attribute, value);
        }
    }
    user.take_attributes(&taken);
    pool.schema.check_required(&user.attributes)?;
    user.modified = cx.now();
    claim(tx, &pool, &mut user, false).await?;
    let owner = CodeOwner::User(user.sub.clone());
    let mut sent = Vec::new();
    for (attribute, code) in ADDRESSES.into_iter().zip(codes) {
        let Some(address) = unproved(&pool, &before, &user, attribute) else {
            continue;
        };
        let purpose = Purpose::Attribute(attribute.to_owned());
        let new =
            NewCode { pool: &pool, owner: &owner, purpose: &purpose, code, attribute, destination: &address };
        issue(cx, tx, new).await?;
        sent.push((Destination { attribute, address }, code.clone()));
    }
    Ok((pool, user, sent))
}

/// The new address that a code is to prove.
fn unproved(pool: &Pool, before: &User, after: &User, attribute: &str) -> Option<String> {
    if let Some(pending) = after.pending.get(attribute)
        && before.pending.get(attribute) != Some(pending)
    {
        return Some(pending.clone());
    }
    let value = after.attributes.get(attribute)?;
    let changed = before.attributes.get(attribute) != Some(value);
    (changed && pool.auto_verifies(attribute)).then(|| value.clone())
}

/// What the token's app client may write.
async fn writable(cx: &Cx<CognitoIdp>, tx: &Tx, pool: &Pool) -> Result<Vec<String>, IdpError> {
    let client = lookup::client(tx, &pool.pool, &cx.token_user()?.client_id).await?;
    Ok(client.settings.write_attributes.unwrap_or_else(|| default_writable(&pool.schema)))
}

impl Operation for DeleteUserAttributes {
    type Service = CognitoIdp;
    type Input = DeleteInput;
    type Output = Nothing;
    type Error = IdpError;

    const NAME: &'static str = "DeleteUserAttributes";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(_: &Asked<'_, CognitoIdp>, input: &DeleteInput) -> Permissions {
        super::self_service(&input.access_token)
    }

    fn run(cx: Cx<CognitoIdp>, input: DeleteInput) -> impl Future<Output = Result<Nothing, IdpError>> + Send {
        async move {
            cx.write(|tx| {
                let (cx, names) = (&cx, &input.user_attribute_names);
                async move {
                    let (pool, mut user) = lookup::own(cx, &tx).await?;
                    let writable = writable(cx, &tx, &pool).await?;
                    let change = Change { schema: &pool.schema, writable: Some(&writable), exists: true };
                    change.check_removal(names)?;
                    user.drop_attributes(names);
                    user.modified = cx.now();
                    claim(&tx, &pool, &mut user, false).await
                }
            })
            .await?;
            Ok(Nothing {})
        }
    }
}
