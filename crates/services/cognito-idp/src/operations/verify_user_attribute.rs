use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::Deserialize;

use crate::CognitoIdp;
use crate::aliases::claim;
use crate::codes::Purpose;
use crate::confirmation::try_code;
use crate::error::IdpError;
use crate::lookup;
use crate::records::{CodeOwner, CodeRecord, User};
use crate::shapes::Nothing;

/// `VerifyUserAttribute` (Cognito user pools API reference): proves an address, and puts one in its place that waited for
/// its proof.
pub(crate) struct VerifyUserAttribute;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    access_token: String,
    attribute_name: String,
    code: String,
}

impl Operation for VerifyUserAttribute {
    type Service = CognitoIdp;
    type Input = Input;
    type Output = Nothing;
    type Error = IdpError;

    const NAME: &'static str = "VerifyUserAttribute";
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
            let (owner, purpose) =
                (CodeOwner::User(user.sub), Purpose::Attribute(input.attribute_name.clone()));
            let proved = try_code(&cx, &pool, &owner, &purpose, &input.code).await?;
            cx.write(|tx| {
                let (cx, proved) = (&cx, &proved);
                async move {
                    let (pool, mut user) = lookup::own(cx, &tx).await?;
                    prove(&mut user, proved)?;
                    user.modified = cx.now();
                    claim(&tx, &pool, &mut user, false).await
                }
            })
            .await?;
            Ok(Nothing {})
        }
    }
}

fn prove(user: &mut User, proved: &CodeRecord) -> Result<(), IdpError> {
    let (attribute, address) = (&proved.attribute, &proved.destination);
    if user.pending.get(attribute) == Some(address) {
        user.pending.remove(attribute);
        user.attributes.insert(attribute.clone(), address.clone());
    }
    if user.attributes.get(attribute) != Some(address) {
        return Err(IdpError::CodeExpired);
    }
    user.attributes.insert(format!("{attribute}_verified"), "true".into());
    Ok(())
}
