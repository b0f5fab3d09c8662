//! A user pool's token → its claims, for gateways, identity pools and self-service.

use homeport_core::{BoxFuture, Timestamp};
use homeport_jwt::{Claims, Expected, Refusal, claimed_issuer};
use homeport_service::needs::{TokenRefused, TokenUse, Verified, VerifyToken};
use homeport_store::{StoreError, Tx};

use crate::CognitoIdp;
use crate::error::IdpError;
use crate::issuer::{accepted_issuers, pool_of_issuer};
use crate::pool_ref::PoolRef;
use crate::records::{CLIENTS, Client, POOLS, SESSIONS, USERS};

impl VerifyToken for CognitoIdp {
    fn verify_token<'a>(
        &'a self,
        token: &'a str,
        token_use: TokenUse,
        user_pool_ids: &'a [String],
        check_revocation: bool,
    ) -> BoxFuture<'a, Result<Verified, TokenRefused>> {
        Box::pin(async move {
            let pool = self.issuing_pool(token, user_pool_ids)?;
            let claims = self.verify_signature(token, &pool).await?;
            let verified = read(&pool, token_use, claims)?;
            self.check_standing(&pool, &verified, check_revocation).await?;
            Ok(verified)
        })
    }

    fn sign_in_stands<'a>(
        &'a self,
        user_pool_id: &'a str,
        sub: &'a str,
        origin_jti: &'a str,
        issued: Timestamp,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        let pool = PoolRef::new(self.parts.installation.account, user_pool_id);
        Box::pin(async move {
            let pool = &pool;
            let read =
                self.parts.store.read(|tx| async move { stands(&tx, pool, sub, origin_jti, issued).await });
            read.await
        })
    }

    fn pools_epoch(&self) -> u64 {
        self.epoch.current()
    }

    fn revokes_at_gateways<'a>(&'a self, user_pool_id: &'a str) -> BoxFuture<'a, Result<bool, StoreError>> {
        let pool = PoolRef::new(self.parts.installation.account, user_pool_id);
        Box::pin(async move {
            let pool = &pool;
            let found = self.parts.store.read(|tx| async move { POOLS.get(&tx, pool.parts()).await }).await?;
            Ok(found.is_some_and(|pool| pool.revokes_at_gateways()))
        })
    }

    fn pool_of_issuer(&self, issuer: &str) -> Option<String> {
        pool_of_issuer(&self.parts.installation, issuer)
    }
}

impl CognitoIdp {
    /// Whose token it claims to be, if that is a pool of ours that is accepted here.
    fn issuing_pool(&self, token: &str, accepted: &[String]) -> Result<PoolRef, TokenRefused> {
        let installation = &self.parts.installation;
        let issuer = claimed_issuer(token).map_err(refused)?;
        let id = pool_of_issuer(installation, &issuer).ok_or(TokenRefused::Invalid)?;
        let pool = PoolRef::new(installation.account, id);
        let is_pool = |name: &String| *name == pool.id || *name == pool.arn();
        if accepted.is_empty() || accepted.iter().any(is_pool) {
            Ok(pool)
        } else {
            Err(TokenRefused::Invalid)
        }
    }

    async fn verify_signature(&self, token: &str, pool: &PoolRef) -> Result<Claims, TokenRefused> {
        let now = self.parts.clock.now();
        let keys =
            self.keys.of(&self.parts.store, &self.parts.vault, pool, now).await.map_err(
                |error| match error {
                    IdpError::Store(error) => TokenRefused::Store(error),
                    _ => TokenRefused::Invalid,
                },
            )?;
        let keys = keys.ok_or(TokenRefused::Invalid)?;
        let issuers = accepted_issuers(&self.parts.installation, &pool.id);
        let expected = Expected { issuers: &issuers, keys: &keys.set, now };
        homeport_jwt::verify(token, &expected).map_err(refused)
    }

    /// Whether pool and client are still there and, where asked, user and sign-in too.
    async fn check_standing(
        &self,
        pool: &PoolRef,
        verified: &Verified,
        check_revocation: bool,
    ) -> Result<(), TokenRefused> {
        self.parts
            .store
            .read(|tx| async move {
                let client = CLIENTS.by(&tx, "id", Client::by_id(pool.account, &verified.client_id)).await?;
                if client.is_none_or(|client| client.pool != *pool) {
                    return Err(TokenRefused::Invalid);
                }
                if !check_revocation {
                    return Ok(());
                }
                let issued = Timestamp::from_seconds(verified.issued);
                let stands = stands(&tx, pool, &verified.sub, &verified.origin_jti, issued).await?;
                if stands { Ok(()) } else { Err(TokenRefused::Revoked) }
            })
            .await
    }
}

/// Whether the user is there and enabled, and the sign-in neither revoked nor signed out since.
async fn stands(
    tx: &Tx,
    pool: &PoolRef,
    sub: &str,
    origin_jti: &str,
    issued: Timestamp,
) -> Result<bool, StoreError> {
    let Some(user) = USERS.by(tx, "sub", pool.parts().str(sub)).await? else {
        return Ok(false);
    };
    let signed_out = user.signed_out.is_some_and(|at| at.seconds() > issued.seconds());
    if !user.enabled || signed_out {
        return Ok(false);
    }
    let session = SESSIONS.get(tx, pool.parts().str(sub).str(origin_jti)).await?;
    Ok(session.is_some())
}

/// What the claims say, if they are of the kind that is asked for (security decision 11).
fn read(pool: &PoolRef, token_use: TokenUse, claims: Claims) -> Result<Verified, TokenRefused> {
    let (word, client, name) = match token_use {
        TokenUse::Id => ("id", "aud", "cognito:username"),
        TokenUse::Access => ("access", "client_id", "username"),
    };
    if claims.text("token_use") != Some(word) {
        return Err(TokenRefused::Invalid);
    }
    let text = |claim: &str| claims.text(claim).map(str::to_owned).ok_or(TokenRefused::Invalid);
    let seconds = |claim: &str| claims.moment(claim).map(Timestamp::seconds).ok_or(TokenRefused::Invalid);
    Ok(Verified {
        user_pool_id: pool.id.clone(),
        client_id: text(client)?,
        sub: text("sub")?,
        username: text(name)?,
        origin_jti: claims.text("origin_jti").unwrap_or_default().to_owned(),
        scopes: claims.text("scope").unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
        issuer: text("iss")?,
        issued: seconds("iat")?,
        expires: seconds("exp")?,
        claims: claims.into_map(),
    })
}

fn refused(refusal: Refusal) -> TokenRefused {
    match refusal {
        Refusal::Expired => TokenRefused::Expired,
        _ => TokenRefused::Invalid,
    }
}
