//! User pools as OIDC providers: whose tokens `AssumeRoleWithWebIdentity` takes.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use homeport_core::{Account, Arn, BoxFuture};
use homeport_service::needs::{SignIn, TokenRefused, TokenUse, VerifyWebIdentity, WebIdentity, met};
use homeport_store::{KeyParts, StoreError, Tx};
use serde::Deserialize;

use crate::Iam;
use crate::limits::OIDC_PROVIDERS_MAX;
use crate::records::{OIDC_PROVIDERS, OidcProvider};

/// All providers of the account, which are few by their quota.
pub(crate) async fn all(tx: &Tx, account: Account) -> Result<Vec<OidcProvider>, StoreError> {
    let within = KeyParts::new().str(account.to_string());
    Ok(OIDC_PROVIDERS.page(tx, within, None, OIDC_PROVIDERS_MAX).await?.records)
}

/// `https://HOST/POOL` → `HOST/POOL`: a provider's name in ARNs and condition keys.
pub(crate) fn name_of(url: &str) -> &str {
    let bare = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).unwrap_or(url);
    bare.trim_end_matches('/')
}

/// The provider's ARN.
pub(crate) fn arn_of(account: Account, name: &str) -> Arn {
    Arn::new("iam", "", &account.to_string(), &format!("oidc-provider/{name}"))
}

impl Iam {
    /// The user pool that an issuer or provider's name denotes.
    pub(crate) fn pool_of(&self, issuer: &str) -> Option<String> {
        met(&self.needs.verify_token, "VerifyToken").ok()?.pool_of_issuer(issuer)
    }

    async fn provider_of(&self, pool: &str) -> Result<Option<OidcProvider>, StoreError> {
        let providers = self.store.read(|tx| async move { all(&tx, self.account).await }).await?;
        Ok(providers.into_iter().find(|provider| self.pool_of(&provider.name).as_deref() == Some(pool)))
    }

    async fn verify(&self, token: &str) -> Result<Option<WebIdentity>, TokenRefused> {
        let Some(pool) = issuer_of(token).and_then(|issuer| self.pool_of(&issuer)) else { return Ok(None) };
        let Some(provider) = self.provider_of(&pool).await? else { return Ok(None) };
        let Ok(pools) = met(&self.needs.verify_token, "VerifyToken") else { return Ok(None) };
        let verified = pools.verify_token(token, TokenUse::Id, std::slice::from_ref(&pool), true).await?;
        if !provider.client_ids.contains(&verified.client_id) {
            return Err(TokenRefused::Invalid);
        }
        let key = |claim: &str| format!("{}:{claim}", provider.name);
        let context = BTreeMap::from([
            (key("aud"), vec![verified.client_id.clone()]),
            (key("sub"), vec![verified.sub.clone()]),
        ]);
        Ok(Some(WebIdentity {
            provider: arn_of(self.account, &provider.name).to_string(),
            subject: verified.sub.clone(),
            audience: verified.client_id,
            context,
            cognito: None,
            sign_in: Some(SignIn {
                user_pool_id: verified.user_pool_id,
                sub: verified.sub,
                origin_jti: verified.origin_jti,
            }),
        }))
    }
}

/// Who a token says it comes from; nothing of it is believed before the pool's own keys have verified it.
fn issuer_of(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Claims {
        iss: String,
    }
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: Claims = serde_json::from_slice(&payload).ok()?;
    Some(claims.iss)
}

impl VerifyWebIdentity for Iam {
    fn verify_web_identity<'a>(
        &'a self,
        token: &'a str,
    ) -> BoxFuture<'a, Result<Option<WebIdentity>, TokenRefused>> {
        Box::pin(self.verify(token))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_providers_name_has_neither_scheme_nor_slash() {
        for url in [
            "https://auth.example/us-east-1_a",
            "http://auth.example/us-east-1_a/",
            "auth.example/us-east-1_a",
        ] {
            assert_eq!(name_of(url), "auth.example/us-east-1_a");
        }
    }

    #[test]
    fn what_is_no_token_names_nobody() {
        for text in ["", "a.b.c", "....", "e30.e30.e30"] {
            assert_eq!(issuer_of(text), None, "{text}");
        }
    }
}
