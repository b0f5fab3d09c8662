use homeport_service::{Asked, Cx, Effect, Operation, Permissions};

use crate::CognitoIdp;
use crate::administered::{UserInput, find_in};
use crate::error::IdpError;
use crate::shapes::Nothing;
use crate::{lookup, removal};

/// `AdminDeleteUser` (Cognito user pools API reference).
pub(crate) struct AdminDeleteUser;

impl Operation for AdminDeleteUser {
    type Service = CognitoIdp;
    type Input = UserInput;
    type Output = Nothing;
    type Error = IdpError;

    const NAME: &'static str = "AdminDeleteUser";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, CognitoIdp>, input: &UserInput) -> Permissions {
        super::on_pool(asked, "cognito-idp:AdminDeleteUser", &input.user_pool_id)
    }

    fn run(cx: Cx<CognitoIdp>, input: UserInput) -> impl Future<Output = Result<Nothing, IdpError>> + Send {
        async move {
            let reference = lookup::named(&cx, &input.user_pool_id)?;
            cx.write(|tx| {
                let (reference, username) = (&reference, &input.username);
                let (now, needs) = (cx.now(), &cx.service.parts.needs);
                async move {
                    let (_, user) = find_in(&tx, reference, username).await?;
                    Ok::<_, IdpError>(removal::delete_user(&tx, &user, now, needs).await?)
                }
            })
            .await?;
            Ok(Nothing {})
        }
    }
}
