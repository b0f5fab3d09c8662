use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::{Deserialize, Serialize};

use crate::CognitoIdp;
use crate::attributes::{Attribute, is_readable, listed};
use crate::error::IdpError;
use crate::lookup;

/// `GetUser` (Cognito user pools API reference): the attributes that the token's app client may read.
pub(crate) struct GetUser;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    access_token: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    username: String,
    user_attributes: Vec<Attribute>,
}

impl Operation for GetUser {
    type Service = CognitoIdp;
    type Input = Input;
    type Output = Output;
    type Error = IdpError;

    const NAME: &'static str = "GetUser";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(_: &Asked<'_, CognitoIdp>, input: &Input) -> Permissions {
        super::self_service(&input.access_token)
    }

    fn run(cx: Cx<CognitoIdp>, _: Input) -> impl Future<Output = Result<Output, IdpError>> + Send {
        async move {
            let client_id = cx.token_user()?.client_id.clone();
            let (user, client) = cx
                .read(|tx| {
                    let (cx, client_id) = (&cx, &client_id);
                    async move {
                        let (pool, user) = lookup::own(cx, &tx).await?;
                        let client = lookup::client(&tx, &pool.pool, client_id).await?;
                        Ok::<_, IdpError>((user, client))
                    }
                })
                .await?;
            let readable = client.settings.read_attributes.as_deref();
            let mut user_attributes = listed(&user.sub, &user.attributes);
            user_attributes.retain(|attribute| is_readable(readable, &attribute.name));
            Ok(Output { username: user.username, user_attributes })
        }
    }
}
