use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use homeport_core::{Arn, Timestamp};
use homeport_policy::{Policy, PolicyKind};
use homeport_store::{StoreError, Tx};
use serde::{Deserialize, Serialize};

use crate::needs::PoliciesOf;
use crate::{Caller, EndsWith, Principal, RoleSession, Source, UserSession};

/// What a job keeps of who asked for it, as far as policies look at one, and never keys (security decision 4): what is
/// done behind the answer is decided anew, by what this caller may then.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeptCaller {
    who: Who,
    ip: IpAddr,
    user_agent: String,
    secure: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Who {
    /// Nobody in particular, who has the fewest rights.
    Anybody,
    /// By the unique id: name and path may change.
    User {
        id: String,
        session: Option<KeptUserSession>,
    },
    Role(Box<KeptRole>),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct KeptUserSession {
    session_policies: Vec<KeptPolicy>,
    mfa: bool,
    issued: Timestamp,
    expires: Timestamp,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct KeptRole {
    role_arn: Arn,
    role_id: String,
    role_name: String,
    session_name: String,
    session_policies: Vec<KeptPolicy>,
    tags: BTreeMap<String, String>,
    source_identity: Option<String>,
    mfa: bool,
    issued: Timestamp,
    expires: Timestamp,
    context: BTreeMap<String, Vec<String>>,
    ends_with: EndsWith,
}

/// A session policy, with what it is called in the log.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct KeptPolicy {
    name: String,
    document: String,
}

impl KeptCaller {
    /// What is kept of this caller.
    pub fn of(caller: &Caller) -> Self {
        let Source { ip, user_agent, secure } = caller.source.clone();
        Self { who: Who::of(&caller.principal), ip, user_agent, secure }
    }

    /// The sign-in and the identity that the caller's session ends with, and when it was issued.
    pub fn ends_with(&self) -> Option<(&EndsWith, Timestamp)> {
        match &self.who {
            Who::Role(role) => Some((&role.ends_with, role.issued)),
            Who::Anybody | Who::User { .. } => None,
        }
    }

    /// The caller as of today; none where the very user or role isn't there any more.
    ///
    /// # Errors
    /// When the store does not answer, or a kept session policy is none.
    pub async fn today(&self, tx: &Tx, policies_of: &dyn PoliciesOf) -> Result<Option<Caller>, StoreError> {
        let principal = match &self.who {
            Who::Anybody => Some(Principal::Anonymous),
            Who::User { id, session } => {
                let session = session.as_ref().map(KeptUserSession::open).transpose()?;
                let user = policies_of.user(tx, id).await?;
                user.map(|(arn, name)| Principal::User { arn, id: id.clone(), name, session })
            }
            Who::Role(kept) => {
                let role = policies_of.role(tx, kept.role_arn.as_str()).await?;
                let stands = role.is_some_and(|role| role.id == kept.role_id);
                if stands { Some(Principal::Role(Arc::new(kept.open()?))) } else { None }
            }
        };
        let source = Source { ip: self.ip, user_agent: self.user_agent.clone(), secure: self.secure };
        Ok(principal.map(|principal| Caller { principal, access_key_id: None, source }))
    }
}

impl Who {
    fn of(principal: &Principal) -> Self {
        match principal {
            Principal::User { id, session, .. } => {
                Self::User { id: id.clone(), session: session.as_ref().map(KeptUserSession::of) }
            }
            Principal::Role(session) => Self::Role(Box::new(KeptRole::of(session))),
            // Tokens don't call what is queued, and services ask by a need.
            Principal::Anonymous | Principal::Token(_) | Principal::Service(_) => Self::Anybody,
        }
    }
}

impl KeptUserSession {
    fn of(session: &UserSession) -> Self {
        let UserSession { session_policies, mfa, issued, expires } = session;
        Self { session_policies: kept(session_policies), mfa: *mfa, issued: *issued, expires: *expires }
    }

    fn open(&self) -> Result<UserSession, StoreError> {
        let Self { session_policies, mfa, issued, expires } = self;
        let session_policies = opened(session_policies)?;
        Ok(UserSession { session_policies, mfa: *mfa, issued: *issued, expires: *expires })
    }
}

impl KeptRole {
    fn of(session: &RoleSession) -> Self {
        Self {
            role_arn: session.role_arn.clone(),
            role_id: session.role_id.clone(),
            role_name: session.role_name.clone(),
            session_name: session.session_name.clone(),
            session_policies: kept(&session.session_policies),
            tags: session.tags.clone(),
            source_identity: session.source_identity.clone(),
            mfa: session.mfa,
            issued: session.issued,
            expires: session.expires,
            context: session.context.clone(),
            ends_with: session.ends_with.clone(),
        }
    }

    /// Without what no policy looks at: whose the identity is, and which tags would pass on.
    fn open(&self) -> Result<RoleSession, StoreError> {
        Ok(RoleSession {
            role_arn: self.role_arn.clone(),
            role_id: self.role_id.clone(),
            role_name: self.role_name.clone(),
            session_name: self.session_name.clone(),
            session_policies: opened(&self.session_policies)?,
            tags: self.tags.clone(),
            transitive_tag_keys: Vec::new(),
            source_identity: self.source_identity.clone(),
            mfa: self.mfa,
            issued: self.issued,
            expires: self.expires,
            context: self.context.clone(),
            cognito: None,
            ends_with: self.ends_with.clone(),
        })
    }
}

fn kept(policies: &[Arc<Policy>]) -> Vec<KeptPolicy> {
    let keep = |policy: &Arc<Policy>| KeptPolicy {
        name: policy.name().to_owned(),
        document: policy.text().to_owned(),
    };
    policies.iter().map(keep).collect()
}

/// They parsed when the session was made, so one that doesn't is a broken record.
fn opened(policies: &[KeptPolicy]) -> Result<Vec<Arc<Policy>>, StoreError> {
    let open = |KeptPolicy { name, document }: &KeptPolicy| {
        let broken =
            |fault| StoreError::BadRecord { collection: "a kept caller", reason: format!("{name}: {fault}") };
        let policy = Policy::parse(document, PolicyKind::Session).map_err(broken)?;
        Ok(Arc::new(policy.named(name.clone())))
    };
    policies.iter().map(open).collect()
}
