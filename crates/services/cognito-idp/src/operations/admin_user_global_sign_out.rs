use homeport_service::{Asked, Cx, Effect, Operation, Permissions};

use crate::CognitoIdp;
use crate::administered::{UserInput, find_in};
use crate::error::IdpError;
use crate::shapes::Nothing;
use crate::{lookup, removal, revocations};

/// `AdminUserGlobalSignOut` (Cognito user pools API reference).
pub(crate) struct AdminUserGlobalSignOut;

impl Operation for AdminUserGlobalSignOut {
    type Service = CognitoIdp;
    type Input = UserInput;
    type Output = Nothing;
    type Error = IdpError;

    const NAME: &'static str = "AdminUserGlobalSignOut";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, CognitoIdp>, input: &UserInput) -> Permissions {
        super::on_pool(asked, "cognito-idp:AdminUserGlobalSignOut", &input.user_pool_id)
    }

    fn run(cx: Cx<CognitoIdp>, input: UserInput) -> impl Future<Output = Result<Nothing, IdpError>> + Send {
        async move {
            let reference = lookup::named(&cx, &input.user_pool_id)?;
            cx.write(|tx| {
                let (reference, username, now) = (&reference, &input.username, cx.now());
                async move {
                    let (_, user) = find_in(&tx, reference, username).await?;
                    revocations::remember_all(&tx, &user).await?;
                    Ok::<_, IdpError>(removal::sign_out(&tx, &user, now).await?)
                }
            })
            .await?;
            Ok(Nothing {})
        }
    }
}
