use std::collections::BTreeMap;

use homeport_service::needs::{Assume, AssumeRefused, AssumedBy, met};
use homeport_service::{Asked, CognitoSession, Cx, Effect, Operation, Permissions};
use homeport_store::{KeyParts, Tx};
use serde::{Deserialize, Serialize};

use crate::logins::{self, VerifiedLogin};
use crate::open_id::{self, PROVIDER, Subject};
use crate::records::{IDENTITIES, Identity, IdentityPool, POOLS, login_key};
use crate::{CognitoIdentity, IdentityError, guest_policy, role};

/// How long the credentials live, in seconds (AWS: one hour).
const CREDENTIALS_SECONDS: i64 = 3_600;
const SESSION_NAME: &str = "CognitoIdentityCredentials";

/// An identity whose caller proved to be its own.
struct Proved {
    pool: IdentityPool,
    identity: Identity,
    logins: Vec<VerifiedLogin>,
}

impl Proved {
    fn amr(&self) -> Vec<String> {
        self.logins.first().map_or_else(|| vec!["unauthenticated".to_owned()], VerifiedLogin::amr)
    }

    fn session(&self) -> CognitoSession {
        let login = self.logins.first();
        CognitoSession {
            identity_pool_id: self.pool.id.clone(),
            identity_id: self.identity.id.clone(),
            provider: login.map(VerifiedLogin::authentication_provider),
            user_pool_id: login.map(|login| login.linked.user_pool_id.clone()),
            sub: login.map(|login| login.linked.sub.clone()),
            origin_jti: login.map(|login| login.token.origin_jti.clone()),
        }
    }
}

/// Guests prove nothing, and reach only guests' identities. A user brings a login of the identity; a login of
/// nobody yet is linked to a guest's identity, which is how a guest signs up and keeps their data.
async fn prove(
    cx: &Cx<CognitoIdentity>,
    identity_id: &str,
    given: &BTreeMap<String, String>,
) -> Result<Proved, IdentityError> {
    let found = cx
        .read(|tx| async move {
            let Some(identity) = IDENTITIES.get(&tx, identity_id).await? else { return Ok(None) };
            let pool = POOLS.get(&tx, &identity.pool_id).await?;
            Ok::<_, IdentityError>(pool.map(|pool| (pool, identity)))
        })
        .await?;
    let (pool, identity) = found.ok_or_else(|| IdentityError::NoSuchIdentity(identity_id.to_owned()))?;
    let logins = logins::verify(&cx.service, &pool, given).await?;
    if logins.is_empty() {
        return match (identity.logins.is_empty(), pool.guests) {
            (true, true) => Ok(Proved { pool, identity, logins }),
            (true, false) => Err(IdentityError::NoGuests),
            (false, _) => Err(IdentityError::Forbidden(identity_id.to_owned())),
        };
    }
    let is_own = |login: &VerifiedLogin| {
        identity
            .logins
            .iter()
            .any(|own| (&own.user_pool_id, &own.sub) == (&login.linked.user_pool_id, &login.linked.sub))
    };
    if logins.iter().all(is_own) {
        return Ok(Proved { pool, identity, logins });
    }
    let identity = link(cx, identity, &logins).await?;
    Ok(Proved { pool, identity, logins })
}

async fn link(
    cx: &Cx<CognitoIdentity>,
    identity: Identity,
    logins: &[VerifiedLogin],
) -> Result<Identity, IdentityError> {
    let (id, now) = (&identity.id, cx.now());
    cx.write(|tx| async move {
        let mut identity =
            IDENTITIES.get(&tx, id).await?.ok_or_else(|| IdentityError::NoSuchIdentity(id.clone()))?;
        if identity.logins.is_empty()
            && let Some(users) = identity_of_user(&tx, &identity.pool_id, logins).await?
        {
            // A guest who turns out to be somebody known: the guest's identity gives way to the user's.
            IDENTITIES.delete(&tx, id).await?;
            return Ok(users);
        }
        let is_own = |login: &VerifiedLogin| identity.logins.contains(&login.linked);
        if !identity.logins.is_empty() && !logins.iter().any(is_own) {
            return Err(IdentityError::LoginsDiffer);
        }
        for login in logins {
            match IDENTITIES.by(&tx, "login", key_of(&identity.pool_id, login)).await? {
                Some(other) if other.id != identity.id => return Err(IdentityError::LoginsDiffer),
                Some(_) => {}
                None => identity.logins.push(login.linked.clone()),
            }
        }
        identity.modified = now;
        IDENTITIES.put(&tx, &identity).await?;
        Ok(identity)
    })
    .await
}

fn key_of(pool_id: &str, login: &VerifiedLogin) -> KeyParts {
    login_key(pool_id, &login.linked.user_pool_id, &login.linked.sub)
}

/// The identity that these logins lead to already; logins of different ones don't go together.
async fn identity_of_user(
    tx: &Tx,
    pool_id: &str,
    logins: &[VerifiedLogin],
) -> Result<Option<Identity>, IdentityError> {
    let mut found: Option<Identity> = None;
    for login in logins {
        let leads_to = IDENTITIES.by(tx, "login", key_of(pool_id, login)).await?;
        if found.as_ref().zip(leads_to.as_ref()).is_some_and(|(one, other)| one.id != other.id) {
            return Err(IdentityError::LoginsDiffer);
        }
        found = found.or(leads_to);
    }
    Ok(found)
}

/// `GetCredentialsForIdentity` (Amazon Cognito Identity API reference): temporary credentials of the pool's role,
/// whose trust policy is evaluated with `aud` and `amr`. Unsigned.
pub(crate) struct GetCredentialsForIdentity;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CredentialsInput {
    identity_id: String,
    #[serde(default)]
    logins: BTreeMap<String, String>,
    custom_role_arn: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CredentialsOutput {
    identity_id: String,
    credentials: Issued,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Issued {
    access_key_id: String,
    secret_key: String,
    session_token: String,
    expiration: f64,
}

impl Operation for GetCredentialsForIdentity {
    type Service = CognitoIdentity;
    type Input = CredentialsInput;
    type Output = CredentialsOutput;
    type Error = IdentityError;

    const NAME: &'static str = "GetCredentialsForIdentity";
    const EFFECT: Effect = Effect::WritesData;

    fn permissions(_: &Asked<'_, CognitoIdentity>, _: &CredentialsInput) -> Permissions {
        Permissions::Public
    }

    fn run(
        cx: Cx<CognitoIdentity>,
        input: CredentialsInput,
    ) -> impl Future<Output = Result<CredentialsOutput, IdentityError>> + Send {
        async move {
            let proved = prove(&cx, &input.identity_id, &input.logins).await?;
            let role_arn = role::choose(&proved.pool, &proved.logins, input.custom_role_arn.as_deref())?;
            let guest = proved.logins.is_empty();
            let assume = met(&cx.service.needs.assume, "AssumeForService")?;
            let issued = assume
                .assume(Assume {
                    role_arn,
                    by: AssumedBy::Federated(PROVIDER),
                    session_name: SESSION_NAME.to_owned(),
                    session_policies: if guest { guest_policy::policies() } else { Vec::new() },
                    tags: BTreeMap::new(),
                    seconds: CREDENTIALS_SECONDS,
                    context: open_id::context(&proved.pool.id, &proved.identity.id, proved.amr()),
                    cognito: Some(proved.session()),
                })
                .await
                .map_err(refused)?;
            let text = |secret: &homeport_vault::Secret| {
                secret
                    .expose_text()
                    .map(str::to_owned)
                    .ok_or_else(|| IdentityError::Internal("not text".to_owned()))
            };
            Ok(CredentialsOutput {
                identity_id: proved.identity.id,
                credentials: Issued {
                    secret_key: text(&issued.secret_access_key)?,
                    session_token: text(&issued.session_token)?,
                    access_key_id: issued.access_key_id,
                    expiration: issued.expiration.seconds_f64(),
                },
            })
        }
    }
}

fn refused(refused: AssumeRefused) -> IdentityError {
    match refused {
        AssumeRefused::NoSuchRole | AssumeRefused::NotTrusted => IdentityError::NoRole,
        AssumeRefused::Internal(cause) => IdentityError::Internal(cause),
    }
}

/// `GetOpenIdToken` (Amazon Cognito Identity API reference): a token for `sts:AssumeRoleWithWebIdentity`, good for ten
/// minutes. Unsigned.
pub(crate) struct GetOpenIdToken;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TokenInput {
    identity_id: String,
    #[serde(default)]
    logins: BTreeMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TokenOutput {
    identity_id: String,
    token: String,
}

impl Operation for GetOpenIdToken {
    type Service = CognitoIdentity;
    type Input = TokenInput;
    type Output = TokenOutput;
    type Error = IdentityError;

    const NAME: &'static str = "GetOpenIdToken";
    const EFFECT: Effect = Effect::WritesData;

    fn permissions(_: &Asked<'_, CognitoIdentity>, _: &TokenInput) -> Permissions {
        Permissions::Public
    }

    fn run(
        cx: Cx<CognitoIdentity>,
        input: TokenInput,
    ) -> impl Future<Output = Result<TokenOutput, IdentityError>> + Send {
        async move {
            let proved = prove(&cx, &input.identity_id, &input.logins).await?;
            if proved.pool.classic_flow == Some(false) {
                return Err(IdentityError::InvalidParameter(
                    "Basic (classic) flow is not enabled, please use enhanced flow.".to_owned(),
                ));
            }
            let subject = Subject {
                pool_id: &proved.pool.id,
                identity_id: &proved.identity.id,
                amr: proved.amr(),
                session: Some(proved.session()),
            };
            let token = open_id::issue(&cx.service, subject).await?;
            Ok(TokenOutput { identity_id: proved.identity.id, token })
        }
    }
}
