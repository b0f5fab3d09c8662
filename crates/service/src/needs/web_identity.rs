use std::collections::BTreeMap;

use homeport_core::BoxFuture;
use homeport_store::StoreError;

use super::TokenRefused;
use crate::CognitoSession;

/// A federated user, known by a verified token: who may ask for `AssumeRoleWithWebIdentity`.
#[derive(Clone, Debug)]
pub struct WebIdentity {
    /// The `Federated` principal of trust policies, such as `cognito-identity.amazonaws.com` or an OIDC provider's ARN.
    pub provider: String,
    /// `sub`
    pub subject: String,
    /// `aud`
    pub audience: String,
    /// Condition keys of the trust policy and of the session: `PROVIDER:aud`, `PROVIDER:sub`, `PROVIDER:amr`.
    pub context: BTreeMap<String, Vec<String>>,
    /// For identity pools: whose session it will be.
    pub cognito: Option<CognitoSession>,
    /// For tokens of a user pool itself: the sign-in that the session ends with.
    pub sign_in: Option<SignIn>,
}

/// A sign-in of a user pool.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SignIn {
    /// The pool.
    pub user_pool_id: String,
    /// The user's `sub`.
    pub sub: String,
    /// The sign-in's `origin_jti`; empty where the token has none.
    pub origin_jti: String,
}

/// Identity of an identity pool → whether it is still there. Met by cognito-identity.
pub trait IdentityStands: Send + Sync {
    /// Whether this identity, in this pool, was not deleted: its temporary credentials end with it
    /// (security decision 9).
    fn identity_stands<'a>(
        &'a self,
        identity_pool_id: &'a str,
        identity_id: &'a str,
    ) -> BoxFuture<'a, Result<bool, StoreError>>;
}

/// A web identity's token → whose it is. Met by the services that issue such tokens.
pub trait VerifyWebIdentity: Send + Sync {
    /// Verifies a token of this issuer; `None` for tokens that name another.
    fn verify_web_identity<'a>(
        &'a self,
        token: &'a str,
    ) -> BoxFuture<'a, Result<Option<WebIdentity>, TokenRefused>>;
}
