use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use homeport_core::BoxFuture;
use homeport_jwt::{Expected, KeySet, SigningKey};
use homeport_service::CognitoSession;
use homeport_service::needs::{TokenRefused, VerifyWebIdentity, WebIdentity};
use homeport_store::StoreError;
use homeport_vault::{Place, Purpose};
use serde_json::json;

use crate::records::{IDENTITIES, KEYS, TokenKey};
use crate::{CognitoIdentity, IdentityError};

/// The issuer of identity pools' tokens, and their name in trust policies.
pub(crate) const PROVIDER: &str = "cognito-identity.amazonaws.com";
const ISSUER: &str = "https://cognito-identity.amazonaws.com";
/// How long a token of `GetOpenIdToken` lives, in seconds.
const TOKEN_SECONDS: i64 = 600;
const KEY_NAME: &str = "open-id";

/// The signing key, once it was asked for: making one takes a tenth of a second, so a start doesn't.
#[derive(Default)]
pub(crate) struct Keys(OnceLock<Arc<SigningKey>>);

/// Whom a token is for.
pub(crate) struct Subject<'a> {
    pub(crate) pool_id: &'a str,
    pub(crate) identity_id: &'a str,
    pub(crate) amr: Vec<String>,
    /// The sign-in behind it, so that a token ends with it.
    pub(crate) session: Option<CognitoSession>,
}

/// Issues the token of `GetOpenIdToken`.
pub(crate) async fn issue(service: &CognitoIdentity, subject: Subject<'_>) -> Result<String, IdentityError> {
    let key = signing_key(service).await?;
    let now = service.clock.now().seconds();
    let claims = json!({
        "iss": ISSUER, "aud": subject.pool_id, "sub": subject.identity_id, "amr": subject.amr,
        "iat": now, "exp": now + TOKEN_SECONDS, "homeport:session": subject.session,
    });
    let signed = tokio::task::spawn_blocking(move || key.sign(&claims)).await;
    signed
        .map_err(|error| IdentityError::Internal(error.to_string()))?
        .map_err(|e| IdentityError::Internal(e.to_string()))
}

async fn signing_key(service: &CognitoIdentity) -> Result<Arc<SigningKey>, IdentityError> {
    if let Some(key) = service.keys.0.get() {
        return Ok(key.clone());
    }
    let internal = |error: String| IdentityError::Internal(error);
    let stored = match stored_key(service).await? {
        Some(stored) => stored,
        None => make_key(service).await?,
    };
    let place = Place { collection: "identity-pool-keys", key: KEY_NAME.as_bytes(), field: "pkcs8" };
    let der = service.vault.open(&place, &stored.pkcs8).map_err(|error| internal(error.to_string()))?;
    let key = SigningKey::from_pkcs8(der.expose()).map_err(|error| internal(error.to_string()))?;
    Ok(service.keys.0.get_or_init(|| Arc::new(key)).clone())
}

async fn stored_key(service: &CognitoIdentity) -> Result<Option<TokenKey>, StoreError> {
    service.store.read(|tx| async move { KEYS.get(&tx, KEY_NAME).await }).await
}

/// Makes the key; of two nodes that do so at once, the first's counts.
async fn make_key(service: &CognitoIdentity) -> Result<TokenKey, IdentityError> {
    let internal = |error: String| IdentityError::Internal(error);
    let made = tokio::task::spawn_blocking(|| SigningKey::generate().and_then(|key| key.to_pkcs8())).await;
    let der =
        made.map_err(|error| internal(error.to_string()))?.map_err(|error| internal(error.to_string()))?;
    let place = Place { collection: "identity-pool-keys", key: KEY_NAME.as_bytes(), field: "pkcs8" };
    let sealed = service
        .vault
        .seal(Purpose::IdentityPool, &place, &der)
        .map_err(|error| internal(error.to_string()))?;
    let made = TokenKey { name: KEY_NAME.to_owned(), pkcs8: sealed };
    let kept = service
        .store
        .write(|tx| {
            let made = made.clone();
            async move {
                match KEYS.get(&tx, KEY_NAME).await? {
                    Some(first) => Ok(first),
                    None => KEYS.put(&tx, &made).await.map(|()| made),
                }
            }
        })
        .await;
    kept.map_err(|error: StoreError| error.into())
}

impl CognitoIdentity {
    async fn verify(&self, token: &str) -> Result<Option<WebIdentity>, TokenRefused> {
        if !homeport_jwt::claimed_issuer(token).is_ok_and(|issuer| issuer == ISSUER) {
            return Ok(None);
        }
        if stored_key(self).await?.is_none() {
            return Err(TokenRefused::Invalid);
        }
        let key = signing_key(self).await.map_err(|_| TokenRefused::Invalid)?;
        let keys = KeySet::new(vec![key.public().clone()]);
        let expected = Expected { issuers: &[ISSUER.to_owned()], keys: &keys, now: self.clock.now() };
        let claims = homeport_jwt::verify(token, &expected).map_err(|refusal| match refusal {
            homeport_jwt::Refusal::Expired => TokenRefused::Expired,
            _ => TokenRefused::Invalid,
        })?;
        let (Some(subject), Some(audience)) = (claims.text("sub"), claims.text("aud")) else {
            return Err(TokenRefused::Invalid);
        };
        let read: Result<_, StoreError> =
            self.store.read(|tx| async move { IDENTITIES.get(&tx, subject).await }).await;
        if read?.is_none_or(|identity| identity.pool_id != audience) {
            return Err(TokenRefused::Revoked);
        }
        let amr = claims.texts("amr").into_iter().map(str::to_owned).collect();
        let session =
            claims.get("homeport:session").and_then(|value| serde_json::from_value(value.clone()).ok());
        Ok(Some(WebIdentity {
            provider: PROVIDER.to_owned(),
            subject: subject.to_owned(),
            audience: audience.to_owned(),
            context: context(audience, subject, amr),
            cognito: session,
            sign_in: None,
        }))
    }
}

/// The condition keys of trust policies and of the session's whole life.
pub(crate) fn context(pool_id: &str, identity_id: &str, amr: Vec<String>) -> BTreeMap<String, Vec<String>> {
    BTreeMap::from([
        (format!("{PROVIDER}:aud"), vec![pool_id.to_owned()]),
        (format!("{PROVIDER}:sub"), vec![identity_id.to_owned()]),
        (format!("{PROVIDER}:amr"), amr),
    ])
}

impl VerifyWebIdentity for CognitoIdentity {
    fn verify_web_identity<'a>(
        &'a self,
        token: &'a str,
    ) -> BoxFuture<'a, Result<Option<WebIdentity>, TokenRefused>> {
        Box::pin(self.verify(token))
    }
}
