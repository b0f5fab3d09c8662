use std::collections::BTreeMap;
use std::sync::Arc;

use homeport_core::{BoxFuture, Timestamp};
use homeport_policy::Policy;
use homeport_store::StoreError;
use homeport_vault::Secret;

use crate::CognitoSession;

/// Which role, for whom.
#[derive(Clone, Debug)]
pub struct Assume {
    /// The role's ARN.
    pub role_arn: String,
    /// What assumes it, as the trust policy's principal: a service (`lambda.amazonaws.com`), or the federated
    /// provider `cognito-identity.amazonaws.com`.
    pub by: AssumedBy,
    /// The session's name: 2 to 64 of `\w+=,.@-`.
    pub session_name: String,
    /// Policies that narrow the session.
    pub session_policies: Vec<Arc<Policy>>,
    /// Session tags.
    pub tags: BTreeMap<String, String>,
    /// How long the credentials live, in seconds.
    pub seconds: i64,
    /// Condition keys, for the trust policy and for the session's whole life
    /// (`cognito-identity.amazonaws.com:sub`, `:aud`, `:amr`).
    pub context: BTreeMap<String, Vec<String>>,
    /// For identity pools: whose session it is.
    pub cognito: Option<CognitoSession>,
}

/// What assumes a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssumedBy {
    /// `"Principal": {"Service": …}` with `sts:AssumeRole`.
    Service(&'static str),
    /// `"Principal": {"Federated": …}` with `sts:AssumeRoleWithWebIdentity`.
    Federated(&'static str),
}

/// Temporary credentials.
#[derive(Debug)]
pub struct Credentials {
    /// `ASIA` + 16.
    pub access_key_id: String,
    /// The secret access key, 40 characters.
    pub secret_access_key: Secret,
    /// The sealed session token.
    pub session_token: Secret,
    /// When they end.
    pub expiration: Timestamp,
}

/// Why a role was not assumed.
#[derive(Debug, thiserror::Error)]
pub enum AssumeRefused {
    /// No such role.
    #[error("the role does not exist")]
    NoSuchRole,
    /// The role's trust policy does not admit who asks.
    #[error("the role's trust policy does not admit this")]
    NotTrusted,
    /// The store did not answer, or sealing failed.
    #[error("{0}")]
    Internal(String),
}

impl From<StoreError> for AssumeRefused {
    fn from(error: StoreError) -> Self {
        Self::Internal(error.to_string())
    }
}

/// Role → temporary credentials, for a service that acts under it.
pub trait AssumeForService: Send + Sync {
    /// Evaluates the role's trust policy and issues credentials.
    fn assume<'a>(&'a self, assume: Assume) -> BoxFuture<'a, Result<Credentials, AssumeRefused>>;
}
