//! `AdminUpdateUserAttributes`, `AdminDeleteUserAttributes`.

use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::Deserialize;

use crate::CognitoIdp;
use crate::administered::{UserInput, find_in};
use crate::aliases::claim;
use crate::attributes::{Attribute, Change};
use crate::error::IdpError;
use crate::lookup;
use crate::shapes::Nothing;

/// `AdminUpdateUserAttributes` (Cognito user pools API reference): also what proves an address, by its `_verified`.
pub(crate) struct AdminUpdateUserAttributes;
/// `AdminDeleteUserAttributes` (Cognito user pools API reference).
pub(crate) struct AdminDeleteUserAttributes;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UpdateInput {
    #[serde(flatten)]
    user: UserInput,
    user_attributes: Vec<Attribute>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DeleteInput {
    #[serde(flatten)]
    user: UserInput,
    user_attribute_names: Vec<String>,
}

impl Operation for AdminUpdateUserAttributes {
    type Service = CognitoIdp;
    type Input = UpdateInput;
    type Output = Nothing;
    type Error = IdpError;

    const NAME: &'static str = "AdminUpdateUserAttributes";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, CognitoIdp>, input: &UpdateInput) -> Permissions {
        super::on_pool(asked, "cognito-idp:AdminUpdateUserAttributes", &input.user.user_pool_id)
    }

    fn run(cx: Cx<CognitoIdp>, input: UpdateInput) -> impl Future<Output = Result<Nothing, IdpError>> + Send {
        async move {
            let reference = lookup::named(&cx, &input.user.user_pool_id)?;
            cx.write(|tx| {
                let (reference, input, now) = (&reference, &input, cx.now());
                async move {
                    let (pool, mut user) = find_in(&tx, reference, &input.user.username).await?;
                    let change = Change { schema: &pool.schema, writable: None, exists: true };
                    user.take_attributes(&change.check(&input.user_attributes)?);
                    user.modified = now;
                    claim(&tx, &pool, &mut user, false).await
                }
            })
            .await?;
            Ok(Nothing {})
        }
    }
}

impl Operation for AdminDeleteUserAttributes {
    type Service = CognitoIdp;
    type Input = DeleteInput;
    type Output = Nothing;
    type Error = IdpError;

    const NAME: &'static str = "AdminDeleteUserAttributes";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, CognitoIdp>, input: &DeleteInput) -> Permissions {
        super::on_pool(asked, "cognito-idp:AdminDeleteUserAttributes", &input.user.user_pool_id)
    }

    fn run(cx: Cx<CognitoIdp>, input: DeleteInput) -> impl Future<Output = Result<Nothing, IdpError>> + Send {
        async move {
            let reference = lookup::named(&cx, &input.user.user_pool_id)?;
            cx.write(|tx| {
                let (reference, input, now) = (&reference, &input, cx.now());
                async move {
                    let (pool, mut user) = find_in(&tx, reference, &input.user.username).await?;
                    let change = Change { schema: &pool.schema, writable: None, exists: true };
                    change.check_removal(&input.user_attribute_names)?;
                    user.drop_attributes(&input.user_attribute_names);
                    user.modified = now;
                    claim(&tx, &pool, &mut user, false).await
                }
            })
            .await?;
            Ok(Nothing {})
        }
    }
}
