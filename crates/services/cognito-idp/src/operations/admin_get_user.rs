use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::{Deserialize, Serialize};

use crate::CognitoIdp;
use crate::attributes::{Attribute, listed};
use crate::error::IdpError;
use crate::lookup;

/// `AdminGetUser` (Cognito user pools API reference).
pub(crate) struct AdminGetUser;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    user_pool_id: String,
    username: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    username: String,
    user_attributes: Vec<Attribute>,
    user_create_date: f64,
    user_last_modified_date: f64,
    enabled: bool,
    user_status: &'static str,
}

impl Operation for AdminGetUser {
    type Service = CognitoIdp;
    type Input = Input;
    type Output = Output;
    type Error = IdpError;

    const NAME: &'static str = "AdminGetUser";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, CognitoIdp>, input: &Input) -> Permissions {
        super::on_pool(asked, "cognito-idp:AdminGetUser", &input.user_pool_id)
    }

    fn run(cx: Cx<CognitoIdp>, input: Input) -> impl Future<Output = Result<Output, IdpError>> + Send {
        async move {
            let (reference, name) = (&lookup::named(&cx, &input.user_pool_id)?, &input.username);
            let user = cx
                .read(|tx| async move {
                    let pool = lookup::pool(&tx, reference).await?;
                    lookup::known_user(&tx, &pool, name).await
                })
                .await?;
            Ok(Output {
                user_attributes: listed(&user.sub, &user.attributes),
                user_create_date: user.created.seconds_f64(),
                user_last_modified_date: user.modified.seconds_f64(),
                enabled: user.enabled,
                user_status: user.status.as_str(),
                username: user.username,
            })
        }
    }
}
