//! What a sign-in gives: an ID token, an access token, a refresh token.

mod groups;
mod session;

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use homeport_core::{Randomness, Timestamp, uuid_v4};
use homeport_service::Cx;
use homeport_vault::{Purpose, Vault};
use serde::Serialize;

pub(crate) use groups::groups_of;
pub(crate) use session::{NewSession, open_session};

use crate::CognitoIdp;
use crate::claims::{self, Membership};
use crate::error::IdpError;
use crate::issuer::issuer;
use crate::records::{Client, Pool, Session, User};

/// `AuthenticationResultType`
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AuthenticationResult {
    access_token: String,
    /// Seconds.
    expires_in: i64,
    token_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    id_token: String,
}

/// Whose tokens to sign.
pub(crate) struct Grant {
    pub(crate) user: User,
    pub(crate) session: Session,
    pub(crate) groups: Vec<Membership>,
    /// A refresh token that was made with the session; none where the one before stays.
    pub(crate) refresh_token: Option<String>,
}

/// Signs ID and access token. The session they belong to is durable before.
pub(crate) async fn issue(
    cx: &Cx<CognitoIdp>,
    pool: &Pool,
    client: &Client,
    grant: Grant,
) -> Result<AuthenticationResult, IdpError> {
    let parts = &cx.service.parts;
    let keys = cx.service.keys.of(&parts.store, &parts.vault, &pool.pool, cx.now()).await?;
    let keys = keys.ok_or_else(|| IdpError::no_pool(&pool.pool.id))?;
    cx.service.care_for_keys(&pool.pool, &keys, cx.now());
    let issuer = issuer(&parts.installation, pool);
    let [event_id, access_jti, id_jti] = [(); 3].map(|()| uuid_v4(&**cx.randomness()));
    let session = claims::Session {
        issuer: &issuer,
        client_id: &client.id,
        sub: &grant.user.sub,
        username: &grant.user.username,
        origin_jti: &grant.session.origin_jti,
        event_id: &event_id,
        signed_in: grant.session.signed_in,
        now: cx.now(),
        groups: &grant.groups,
    };
    let access = session.access_claims(&access_jti, client.access_seconds());
    let readable = client.settings.read_attributes.as_deref();
    let id = session.id_claims(&id_jti, client.id_seconds(), &grant.user.attributes, readable);
    let keys = Arc::clone(&keys);
    let signed =
        tokio::task::spawn_blocking(move || Ok((keys.signing.sign(&access)?, keys.signing.sign(&id)?)));
    let signed: Result<_, homeport_jwt::KeyFault> =
        signed.await.map_err(|error| IdpError::Internal(error.to_string()))?;
    let (access_token, id_token) = signed.map_err(|fault| IdpError::Internal(fault.to_string()))?;
    Ok(AuthenticationResult {
        access_token,
        expires_in: client.access_seconds(),
        token_type: "Bearer",
        refresh_token: grant.refresh_token,
        id_token,
    })
}

/// A new refresh token: 64 random bytes, which say nothing.
pub(crate) fn new_refresh_token(randomness: &dyn Randomness) -> String {
    let mut bytes = [0; 64];
    randomness.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What is stored of a refresh token.
pub(crate) fn refresh_hash(vault: &Vault, token: &str) -> [u8; 32] {
    vault.keyed_hash(Purpose::Tokens, &[b"cognito-idp.refresh", token.as_bytes()])
}

/// An id that sorts by time (RFC 9562 version 7), so that a user's oldest session comes first.
pub(crate) fn new_origin_jti(randomness: &dyn Randomness, now: Timestamp) -> String {
    let mut random = [0; 10];
    randomness.fill(&mut random);
    let millis = u64::try_from(now.millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid().to_string()
}
