use std::sync::Arc;

use homeport_core::{Arn, BoxFuture};
use homeport_policy::Policy;
use homeport_store::{StoreError, Tx};
use homeport_vault::Secret;

use super::Unpinned;
use crate::Principal;

/// Who an access key stands for, and the secret that its signatures are made with.
pub struct Identified {
    /// The secret access key.
    pub secret: Secret,
    /// Whose key it is.
    pub principal: Principal,
}

/// Why a key identifies nobody.
#[derive(Debug, thiserror::Error)]
pub enum Unidentified {
    /// No such key, or one that was made inactive, or whose owner is gone.
    #[error("the access key is unknown or inactive")]
    UnknownKey,
    /// The session token is not ours, was altered, or belongs to another key.
    #[error("the session token is not valid")]
    InvalidToken,
    /// The credentials have ended by time.
    #[error("the temporary credentials have expired")]
    Expired,
    /// The role, user or identity was deleted, disabled or signed out since.
    #[error("the temporary credentials were revoked")]
    Revoked,
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Access key → secret and principal.
pub trait Identify: Send + Sync {
    /// Finds the key's owner. Unsuccessful look-ups take as long as successful ones where a secret is concerned.
    fn identify<'a>(
        &'a self,
        access_key_id: &'a str,
        session_token: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Identified, Unidentified>>;
}

/// The policies that hold for a principal.
#[derive(Clone, Debug, Default)]
pub struct Policies {
    /// Inline and attached policies of the user and its groups, or of the role.
    pub identity: Vec<Arc<Policy>>,
    /// The permissions boundary.
    pub boundary: Option<Arc<Policy>>,
    /// Tags of the user: `aws:PrincipalTag/KEY`. Those of a role are in its session.
    pub tags: Vec<(String, String)>,
    /// Whether the principal still exists; policies of one that is gone are empty.
    pub exists: bool,
}

/// What others need to know of a role.
#[derive(Clone, Debug)]
pub struct RoleView {
    /// The ARN, path included.
    pub arn: Arn,
    /// The unique id, `AROA…`.
    pub id: String,
    /// The name.
    pub name: String,
    /// Who may assume it.
    pub trust: Arc<Policy>,
    /// The longest session, in seconds: 3,600 to 43,200.
    pub max_session_seconds: i64,
    /// The role's tags.
    pub tags: Vec<(String, String)>,
}

/// Principal → policies; role → trust. Reads go through the caller's transaction.
pub trait PoliciesOf: Send + Sync {
    /// The identity policies and boundary; session policies are in the principal itself.
    fn policies_of<'a>(
        &'a self,
        tx: &'a Tx,
        principal: &'a Principal,
    ) -> BoxFuture<'a, Result<Policies, StoreError>>;

    /// The role of this ARN; none when it does not exist (any more).
    fn role<'a>(
        &'a self,
        tx: &'a Tx,
        role_arn: &'a str,
    ) -> BoxFuture<'a, Result<Option<RoleView>, StoreError>>;

    /// The ARN and name that the user of this unique id has now; none when it does not exist (any more).
    fn user<'a>(
        &'a self,
        tx: &'a Tx,
        user_id: &'a str,
    ) -> BoxFuture<'a, Result<Option<(Arn, String)>, StoreError>>;

    /// The unique id of the user or role of this account that a policy names by its ARN or by that id; none for
    /// principals that have none of their own (sessions, other accounts').
    fn unique_id<'a>(&'a self, tx: &'a Tx, name: &'a str) -> BoxFuture<'a, Result<Option<String>, Unpinned>>;

    /// The document of a managed policy, in its default version; none when it does not exist.
    fn managed_policy<'a>(
        &'a self,
        tx: &'a Tx,
        arn: &'a str,
    ) -> BoxFuture<'a, Result<Option<String>, StoreError>>;
}

/// ARN → resource policy.
pub trait ResourcePolicy: Send + Sync {
    /// Whether it is worth to look: false only where there is surely no policy.
    fn may_have_policy(&self, arn: &str) -> bool {
        let _ = arn;
        true
    }

    /// The policy of the resource that this ARN names; none when there is none.
    fn resource_policy<'a>(
        &'a self,
        tx: &'a Tx,
        arn: &'a str,
    ) -> BoxFuture<'a, Result<Option<Arc<Policy>>, StoreError>>;
}
