use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::{Deserialize, Serialize};

use crate::CognitoIdp;
use crate::codes::{Purpose, draw_code};
use crate::confirmation::{NewCode, issue};
use crate::error::IdpError;
use crate::lookup;
use crate::messages::{CodeDeliveryDetails, Destination, send_code};
use crate::records::{CodeOwner, User};

/// `GetUserAttributeVerificationCode` (Cognito user pools API reference).
pub(crate) struct GetUserAttributeVerificationCode;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    access_token: String,
    attribute_name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    code_delivery_details: CodeDeliveryDetails,
}

impl Operation for GetUserAttributeVerificationCode {
    type Service = CognitoIdp;
    type Input = Input;
    type Output = Output;
    type Error = IdpError;

    const NAME: &'static str = "GetUserAttributeVerificationCode";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(_: &Asked<'_, CognitoIdp>, input: &Input) -> Permissions {
        super::self_service(&input.access_token)
    }

    fn run(cx: Cx<CognitoIdp>, input: Input) -> impl Future<Output = Result<Output, IdpError>> + Send {
        async move {
            let code = draw_code(&**cx.randomness());
            let purpose = Purpose::Attribute(input.attribute_name.clone());
            let (pool, user, destination) = cx
                .write(|tx| {
                    let (cx, purpose, code, name) = (&cx, &purpose, &code, &input.attribute_name);
                    async move {
                        let (pool, user) = lookup::own(cx, &tx).await?;
                        let destination = to_prove(&user, name)?;
                        let new = NewCode {
                            pool: &pool,
                            owner: &CodeOwner::User(user.sub.clone()),
                            purpose,
                            code,
                            attribute: destination.attribute,
                            destination: &destination.address,
                        };
                        issue(cx, &tx, new).await?;
                        Ok::<_, IdpError>((pool, user, destination))
                    }
                })
                .await?;
            send_code(&cx, &pool, &user, &purpose, &destination, &code).await?;
            Ok(Output { code_delivery_details: destination.details() })
        }
    }
}

/// The address to prove: one that waits for it, or the present one.
fn to_prove(user: &User, attribute: &str) -> Result<Destination, IdpError> {
    let waiting = User { attributes: user.pending.clone(), ..user.clone() };
    let destination = Destination::of(&waiting, attribute).or_else(|| Destination::of(user, attribute));
    destination.ok_or_else(|| {
        IdpError::invalid(format!("User does not have attribute {attribute}, or it can't be verified."))
    })
}
