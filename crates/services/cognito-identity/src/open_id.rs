use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use homeport_core::BoxFuture;
use homeport_jwt::{Expected, KeySet, SigningKey};
use homeport_service::CognitoSession;
use homeport_service::needs::{TokenRefused, VerifyWebIdentity, WebIdentity};
use homeport_store::StoreError;
use homeport_vault::{Place, Purpose, Sealed, Vault};
use serde_json::json;

use crate::records::{IDENTITIES, KEYS, TokenKey};
use crate::{CognitoIdentity, IdentityError};

/// The issuer of identity pools' tokens, and their name in trust policies.
pub(crate) const PROVIDER: &str = "cognito-identity.amazonaws.com";
const ISSUER: &str = "https://cognito-identity.amazonaws.com";
/// How long a token of `GetOpenIdToken` lives, in seconds.
const TOKEN_SECONDS: i64 = 600;
const KEY_NAME: &str = "open-id";
const PLACE: Place<'static> =
    Place { collection: "identity-pool-keys", key: KEY_NAME.as_bytes(), field: "pkcs8" };

/// The signing key that was parsed last, with what it was parsed from: which key signs, the store says each time. It is
/// made when one is first asked for, as that takes a tenth of a second.
#[derive(Default)]
pub(crate) struct Keys(Mutex<Option<(Sealed, Arc<SigningKey>)>>);

impl Keys {
    /// The stored key, parsed.
    fn open(&self, vault: &Vault, stored: TokenKey) -> Result<Arc<SigningKey>, IdentityError> {
        let mut parsed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((sealed, key)) = &*parsed
            && *sealed == stored.pkcs8
        {
            return Ok(key.clone());
        }
        let der = vault.open(&PLACE, &stored.pkcs8).map_err(internal)?;
        let key = Arc::new(SigningKey::from_pkcs8(der.expose()).map_err(internal)?);
        *parsed = Some((stored.pkcs8, key.clone()));
        Ok(key)
    }
}

fn internal(error: impl ToString) -> IdentityError {
    IdentityError::Internal(error.to_string())
}

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
    signed.map_err(internal)?.map_err(internal)
}

async fn signing_key(service: &CognitoIdentity) -> Result<Arc<SigningKey>, IdentityError> {
    let stored = match stored_key(service).await? {
        Some(stored) => stored,
        None => make_key(service).await?,
    };
    service.keys.open(&service.vault, stored)
}

async fn stored_key(service: &CognitoIdentity) -> Result<Option<TokenKey>, StoreError> {
    service.store.read(|tx| async move { KEYS.get(&tx, KEY_NAME).await }).await
}

/// Makes the key; of two nodes that do so at once, the first's counts.
async fn make_key(service: &CognitoIdentity) -> Result<TokenKey, IdentityError> {
    let made = tokio::task::spawn_blocking(|| SigningKey::generate().and_then(|key| key.to_pkcs8())).await;
    let der = made.map_err(internal)?.map_err(internal)?;
    let sealed = service.vault.seal(Purpose::IdentityPool, &PLACE, &der).map_err(internal)?;
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
        let stored = stored_key(self).await?.ok_or(TokenRefused::Invalid)?;
        let key = self.keys.open(&self.vault, stored).map_err(|_| TokenRefused::Invalid)?;
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
