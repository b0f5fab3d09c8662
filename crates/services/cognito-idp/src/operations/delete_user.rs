use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::Deserialize;

use crate::CognitoIdp;
use crate::error::IdpError;
use crate::shapes::Nothing;
use crate::{lookup, removal};

/// `DeleteUser` (Cognito user pools API reference): users delete themselves.
pub(crate) struct DeleteUser;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    access_token: String,
}

impl Operation for DeleteUser {
    type Service = CognitoIdp;
    type Input = Input;
    type Output = Nothing;
    type Error = IdpError;

    const NAME: &'static str = "DeleteUser";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(_: &Asked<'_, CognitoIdp>, input: &Input) -> Permissions {
        super::self_service(&input.access_token)
    }

    fn run(cx: Cx<CognitoIdp>, _: Input) -> impl Future<Output = Result<Nothing, IdpError>> + Send {
        async move {
            cx.write(|tx| {
                let cx = &cx;
                async move {
                    let (_, user) = lookup::own(cx, &tx).await?;
                    let needs = &cx.service.parts.needs;
                    Ok::<_, IdpError>(removal::delete_user(&tx, &user, cx.now(), needs).await?)
                }
            })
            .await?;
            Ok(Nothing {})
        }
    }
}
