use std::collections::BTreeMap;

use homeport_core::uuid_v4;
use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::{Deserialize, Serialize};

use crate::records::{IDENTITIES, Identity, login_key};
use crate::{CognitoIdentity, IdentityError, find, logins};

/// `GetId` (Amazon Cognito Identity API reference): the identity of a guest (a new one each time) or of a user
/// (always the same). Unsigned.
pub(crate) struct GetId;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    identity_pool_id: String,
    #[serde(default)]
    logins: BTreeMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    identity_id: String,
}

impl Operation for GetId {
    type Service = CognitoIdentity;
    type Input = Input;
    type Output = Output;
    type Error = IdentityError;

    const NAME: &'static str = "GetId";
    const EFFECT: Effect = Effect::WritesData;

    fn permissions(_: &Asked<'_, CognitoIdentity>, _: &Input) -> Permissions {
        Permissions::Public
    }

    fn run(
        cx: Cx<CognitoIdentity>,
        input: Input,
    ) -> impl Future<Output = Result<Output, IdentityError>> + Send {
        async move {
            let pool_id = &input.identity_pool_id;
            let pool = cx.read(|tx| async move { find::pool(&tx, pool_id).await }).await?;
            let verified = logins::verify(&cx.service, &pool, &input.logins).await?;
            if verified.is_empty() && !pool.guests {
                return Err(IdentityError::NoGuests);
            }
            if !cx.service.guests.admits(cx.caller().source.ip, cx.now()) {
                return Err(IdentityError::TooMany);
            }
            let region = pool_id.split(':').next().unwrap_or_default();
            let (new_id, now) = (format!("{region}:{}", uuid_v4(&*cx.service.randomness)), cx.now());
            let (verified, new_id) = (&verified, &new_id);
            let identity_id = cx
                .write(|tx| async move {
                    for login in verified {
                        let key = login_key(pool_id, &login.linked.user_pool_id, &login.linked.sub);
                        if let Some(known) = IDENTITIES.by(&tx, "login", key).await? {
                            return Ok::<_, IdentityError>(known.id);
                        }
                    }
                    find::pool(&tx, pool_id).await?;
                    let logins = verified.iter().map(|login| login.linked.clone()).collect();
                    let identity = Identity {
                        id: new_id.clone(),
                        pool_id: pool_id.clone(),
                        logins,
                        created: now,
                        modified: now,
                    };
                    IDENTITIES.put(&tx, &identity).await?;
                    Ok(identity.id)
                })
                .await?;
            Ok(Output { identity_id })
        }
    }
}
