use homeport_core::{BoxFuture, Timestamp};
use homeport_store::StoreError;
use serde_json::{Map, Value};

/// Which kind of token is asked for: each place takes one (security decision 11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenUse {
    /// `token_use: "id"`
    Id,
    /// `token_use: "access"`
    Access,
}

/// A token whose signature, issuer, use and times are right.
#[derive(Clone, Debug)]
pub struct Verified {
    /// The pool that issued it.
    pub user_pool_id: String,
    /// `aud` of an ID token, `client_id` of an access token.
    pub client_id: String,
    /// `sub`
    pub sub: String,
    /// `cognito:username` of an ID token, `username` of an access token.
    pub username: String,
    /// `origin_jti`; empty when the token has none.
    pub origin_jti: String,
    /// `scope`, split; empty for ID tokens.
    pub scopes: Vec<String>,
    /// `iss` as the token carries it.
    pub issuer: String,
    /// `iat`, seconds.
    pub issued: i64,
    /// `exp`, seconds.
    pub expires: i64,
    /// All claims.
    pub claims: Map<String, Value>,
}

/// Why a token is refused.
#[derive(Debug, thiserror::Error)]
pub enum TokenRefused {
    /// Not a JWT, of another issuer, wrongly signed, of the wrong use.
    #[error("the token is not valid")]
    Invalid,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// Signed out, revoked; or its user is disabled or gone.
    #[error("the token was revoked")]
    Revoked,
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A user pool's token → its claims. Own issuers are resolved in process, never over the network.
pub trait VerifyToken: Send + Sync {
    /// Verifies signature, issuer, use and times. `user_pool_ids` are the pools that are accepted here (ids or
    /// ARNs); empty: any pool of this installation. With `check_revocation`, the user, the sign-in and the token
    /// are looked up too, and a revoked one is refused at once.
    fn verify_token<'a>(
        &'a self,
        token: &'a str,
        token_use: TokenUse,
        user_pool_ids: &'a [String],
        check_revocation: bool,
    ) -> BoxFuture<'a, Result<Verified, TokenRefused>>;

    /// Whether temporary credentials issued at `issued` to this user's sign-in still stand: the user is there, enabled,
    /// and not signed out everywhere since (security decision 9).
    fn sign_in_stands<'a>(
        &'a self,
        user_pool_id: &'a str,
        sub: &'a str,
        origin_jti: &'a str,
        issued: Timestamp,
    ) -> BoxFuture<'a, Result<bool, StoreError>>;

    /// A number that grows with every change of a user pool or an app client, before the call that made it is
    /// answered. Who remembers that a token was verified takes it before verifying, and verifies anew once it has
    /// grown: a deleted pool's or client's tokens then end at once (security decision 12).
    fn pools_epoch(&self) -> u64;

    /// Whether this pool asks that revoked tokens are refused at gateways at once.
    fn revokes_at_gateways<'a>(&'a self, user_pool_id: &'a str) -> BoxFuture<'a, Result<bool, StoreError>>;

    /// The pool an issuer or provider name denotes: `PUBLIC_URL/POOL`, AWS's two names, with or without scheme
    /// (security decision 10); none when it is none of ours.
    fn pool_of_issuer(&self, issuer: &str) -> Option<String>;
}
