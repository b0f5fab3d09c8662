use std::collections::BTreeMap;

use homeport_service::needs::{TokenUse, Verified, met};

use crate::records::{IdentityPool, LinkedLogin};
use crate::{CognitoIdentity, IdentityError};

/// Logins that one call may carry (AWS: providers per identity).
const MAX_LOGINS: usize = 20;

/// A login whose token was verified: of a configured pair of user pool and client.
#[derive(Debug)]
pub(crate) struct VerifiedLogin {
    pub(crate) linked: LinkedLogin,
    pub(crate) token: Verified,
}

impl VerifiedLogin {
    /// `ISSUER,ISSUER:CognitoSignIn:SUB`, as `amr` and `cognitoAuthenticationProvider` name a user of a user pool.
    pub(crate) fn authentication_provider(&self) -> String {
        let provider = &self.linked.provider;
        format!("{provider},{provider}:CognitoSignIn:{}", self.linked.sub)
    }

    pub(crate) fn amr(&self) -> Vec<String> {
        let provider = &self.linked.provider;
        let sign_in = format!("{provider}:CognitoSignIn:{}", self.linked.sub);
        vec!["authenticated".to_owned(), provider.clone(), sign_in]
    }
}

/// Verifies a `Logins` map against a pool: each token by signature, issuer, audience, expiry and revocation.
/// An empty map is a guest's.
pub(crate) async fn verify(
    service: &CognitoIdentity,
    pool: &IdentityPool,
    logins: &BTreeMap<String, String>,
) -> Result<Vec<VerifiedLogin>, IdentityError> {
    if logins.len() > MAX_LOGINS {
        return Err(IdentityError::TooManyLogins(MAX_LOGINS));
    }
    let mut verified = Vec::with_capacity(logins.len());
    for (name, token) in logins {
        verified.push(verify_one(service, pool, name, token).await?);
    }
    Ok(verified)
}

async fn verify_one(
    service: &CognitoIdentity,
    pool: &IdentityPool,
    name: &str,
    token: &str,
) -> Result<VerifiedLogin, IdentityError> {
    let verifier = met(&service.needs.verify_token, "VerifyToken")?;
    let user_pool_id = verifier.pool_of_issuer(name).ok_or(IdentityError::UnknownProvider)?;
    let of_pool = |provider: &&crate::records::UserPoolProvider| {
        verifier.pool_of_issuer(&provider.provider_name).as_deref() == Some(&user_pool_id)
    };
    if !pool.user_pools.iter().any(|provider| of_pool(&provider)) {
        return Err(IdentityError::UnknownProvider);
    }
    let accepted = [user_pool_id.clone()];
    let token = verifier.verify_token(token, TokenUse::Id, &accepted, true).await?;
    let configured = |provider: &crate::records::UserPoolProvider| provider.client_id == token.client_id;
    if !pool.user_pools.iter().filter(of_pool).any(configured) {
        return Err(IdentityError::NotAuthorized("Invalid login token. Incorrect token audience."));
    }
    let provider = name.trim_start_matches("https://").trim_start_matches("http://").to_owned();
    Ok(VerifiedLogin { linked: LinkedLogin { user_pool_id, sub: token.sub.clone(), provider }, token })
}
