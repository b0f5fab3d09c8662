use std::collections::BTreeMap;
use std::sync::Arc;

use homeport_core::{Arn, Timestamp};
use homeport_policy::Policy;
use homeport_service::needs::SignIn;
use homeport_service::{CognitoSession, EndsWith, Principal, RoleSession, UserSession};
use serde::{Deserialize, Serialize};

/// What a session token holds, sealed. A later program must read what an earlier one sealed: members are
/// only added, with a default.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) issued: Timestamp,
    pub(crate) expires: Timestamp,
    pub(crate) mfa: bool,
    pub(crate) of: SessionOf,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum SessionOf {
    /// An IAM user (`GetSessionToken`), by its unique id: its name and path may change.
    User { id: String },
    /// A role.
    Role(Box<AssumedRole>),
}

/// An assumed role.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AssumedRole {
    pub(crate) role_arn: Arn,
    /// The role's unique id: a role deleted and made again is another.
    pub(crate) role_id: String,
    pub(crate) role_name: String,
    pub(crate) session_name: String,
    /// The inline session policies as they were given.
    pub(crate) policies: Vec<String>,
    /// ARNs of managed session policies; what they say today counts.
    pub(crate) managed_policies: Vec<String>,
    /// The role's and the session's tags.
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) transitive_tag_keys: Vec<String>,
    pub(crate) source_identity: Option<String>,
    pub(crate) context: BTreeMap<String, Vec<String>>,
    pub(crate) cognito: Option<CognitoSession>,
    /// The sign-in of a user pool that the session ends with.
    #[serde(default)]
    pub(crate) sign_in: Option<SignIn>,
    /// The identity that the session ends with, and its pool's id before it: of the session that this one was made with.
    #[serde(default)]
    pub(crate) identity: Option<(String, String)>,
}

impl AssumedRole {
    fn ends_with(&self) -> EndsWith {
        let own = self.cognito.as_ref();
        let own = own.map(|cognito| (cognito.identity_pool_id.clone(), cognito.identity_id.clone()));
        EndsWith { sign_in: self.sign_in.clone(), identity: own.or_else(|| self.identity.clone()) }
    }
}

/// The sign-in behind an identity pool's session, if a user of a user pool signed in.
pub(crate) fn sign_in_of(cognito: Option<&CognitoSession>) -> Option<SignIn> {
    let CognitoSession { user_pool_id, sub, origin_jti, .. } = cognito?;
    Some(SignIn {
        user_pool_id: user_pool_id.clone()?,
        sub: sub.clone()?,
        origin_jti: origin_jti.clone().unwrap_or_default(),
    })
}

impl Session {
    /// The user that calls with this session, by the name it has today.
    pub(crate) fn of_user(
        &self,
        id: &str,
        (arn, name): (Arn, String),
        session_policies: Vec<Arc<Policy>>,
    ) -> Principal {
        let Session { mfa, issued, expires, .. } = *self;
        let session = Some(UserSession { session_policies, mfa, issued, expires });
        Principal::User { arn, id: id.to_owned(), name, session }
    }

    /// The role that calls with this session, narrowed by `session_policies`.
    pub(crate) fn of_role(&self, role: &AssumedRole, session_policies: Vec<Arc<Policy>>) -> Principal {
        Principal::Role(Arc::new(RoleSession {
            role_arn: role.role_arn.clone(),
            role_id: role.role_id.clone(),
            role_name: role.role_name.clone(),
            session_name: role.session_name.clone(),
            session_policies,
            tags: role.tags.clone(),
            transitive_tag_keys: role.transitive_tag_keys.clone(),
            source_identity: role.source_identity.clone(),
            mfa: self.mfa,
            issued: self.issued,
            expires: self.expires,
            context: role.context.clone(),
            cognito: role.cognito.clone(),
            ends_with: role.ends_with(),
        }))
    }
}
