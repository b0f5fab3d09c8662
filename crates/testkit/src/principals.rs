use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use homeport_core::{Account, Arn, BoxFuture};
use homeport_policy::{Policy, PolicyKind};
use homeport_service::Principal;
use homeport_service::needs::{Identified, Identify, Policies, PoliciesOf, RoleView, Unidentified, Unpinned};
use homeport_store::{StoreError, Tx};
use homeport_vault::Secret;

/// The access key of a user who may do everything.
pub const ADMIN_KEY: &str = "AKIATESTADMIN0000000";
/// The access key of a user without any policy.
pub const STRANGER_KEY: &str = "AKIATESTSTRANGER0000";

const EVERYTHING: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

/// Users and roles of the tests, standing in for IAM's where no IAM is hosted, and beside it where one is.
pub struct TestIam {
    account: Account,
    users: Mutex<BTreeMap<String, Vec<Arc<Policy>>>>,
    roles: Mutex<BTreeMap<String, Arc<Policy>>>,
    behind: Option<(Arc<dyn Identify>, Arc<dyn PoliciesOf>)>,
}

impl TestIam {
    pub(crate) fn new(account: Account, behind: Option<(Arc<dyn Identify>, Arc<dyn PoliciesOf>)>) -> Self {
        let iam = Self { account, users: Mutex::default(), roles: Mutex::default(), behind };
        iam.put_user(ADMIN_KEY, &[EVERYTHING]);
        iam.put_user(STRANGER_KEY, &[]);
        iam
    }

    /// A user with these policies, known by this access key.
    pub fn put_user(&self, key: &str, policies: &[&str]) {
        let parse = |json: &&str| {
            Arc::new(Policy::parse(json, PolicyKind::Identity).expect("a test's policy parses"))
        };
        let policies = policies.iter().map(parse).collect();
        self.users.lock().unwrap_or_else(PoisonError::into_inner).insert(key.to_owned(), policies);
    }

    /// A role with this trust policy; answers its ARN.
    pub fn put_role(&self, name: &str, trust: &str) -> String {
        let arn = Arn::new("iam", "", &self.account.to_string(), &format!("role/{name}")).to_string();
        let trust = Arc::new(Policy::parse(trust, PolicyKind::Trust).expect("a test's trust policy parses"));
        self.roles.lock().unwrap_or_else(PoisonError::into_inner).insert(arn.clone(), trust);
        arn
    }

    /// The secret of any test user's access key.
    pub fn secret_of(key: &str) -> String {
        format!("secret-of-{key}-0123456789")
    }

    /// The unique id of any test role.
    fn role_id(arn: &Arn) -> String {
        format!("AROA{:0>17}", arn.resource().len())
    }

    /// The unique id of the test user or role of this ARN or id.
    fn known_id(&self, name: &str) -> Option<String> {
        let users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        let user = users.keys().find(|key| *key == name || self.user_of(key).0.as_str() == name);
        let roles = self.roles.lock().unwrap_or_else(PoisonError::into_inner);
        let role = || roles.keys().filter_map(|arn| Arn::parse(arn).ok()).find(|arn| arn.as_str() == name);
        user.cloned().or_else(|| role().map(|arn| Self::role_id(&arn)))
    }

    /// The ARN and name of any test user.
    fn user_of(&self, key: &str) -> (Arn, String) {
        let name = key.trim_start_matches("AKIA").to_ascii_lowercase();
        (Arn::new("iam", "", &self.account.to_string(), &format!("user/{name}")), name)
    }
}

impl Identify for TestIam {
    fn identify<'a>(
        &'a self,
        access_key_id: &'a str,
        session_token: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Identified, Unidentified>> {
        Box::pin(async move {
            let known = self.users.lock().unwrap_or_else(PoisonError::into_inner).contains_key(access_key_id);
            if !known {
                return match &self.behind {
                    Some((identify, _)) => identify.identify(access_key_id, session_token).await,
                    None => Err(Unidentified::UnknownKey),
                };
            }
            let (arn, name) = self.user_of(access_key_id);
            Ok(Identified {
                secret: Secret::new(Self::secret_of(access_key_id).into_bytes()),
                principal: Principal::User { arn, id: access_key_id.to_owned(), name, session: None },
            })
        })
    }
}

impl PoliciesOf for TestIam {
    fn policies_of<'a>(
        &'a self,
        tx: &'a Tx,
        principal: &'a Principal,
    ) -> BoxFuture<'a, Result<Policies, StoreError>> {
        Box::pin(async move {
            if let Principal::User { id, .. } = principal {
                let users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(identity) = users.get(id).cloned() {
                    return Ok(Policies { identity, exists: true, ..Policies::default() });
                }
            }
            match &self.behind {
                Some((_, policies_of)) => policies_of.policies_of(tx, principal).await,
                None => Ok(Policies::default()),
            }
        })
    }

    fn role<'a>(
        &'a self,
        tx: &'a Tx,
        role_arn: &'a str,
    ) -> BoxFuture<'a, Result<Option<RoleView>, StoreError>> {
        Box::pin(async move {
            let trust = self.roles.lock().unwrap_or_else(PoisonError::into_inner).get(role_arn).cloned();
            match (trust, Arn::parse(role_arn), &self.behind) {
                (Some(trust), Ok(arn), _) => Ok(Some(RoleView {
                    name: arn.resource().rsplit('/').next().unwrap_or_default().to_owned(),
                    id: Self::role_id(&arn),
                    arn,
                    trust,
                    max_session_seconds: 3_600,
                    tags: Vec::new(),
                })),
                (None, _, Some((_, policies_of))) => policies_of.role(tx, role_arn).await,
                _ => Ok(None),
            }
        })
    }

    fn user<'a>(
        &'a self,
        tx: &'a Tx,
        user_id: &'a str,
    ) -> BoxFuture<'a, Result<Option<(Arn, String)>, StoreError>> {
        Box::pin(async move {
            if self.users.lock().unwrap_or_else(PoisonError::into_inner).contains_key(user_id) {
                return Ok(Some(self.user_of(user_id)));
            }
            match &self.behind {
                Some((_, policies_of)) => policies_of.user(tx, user_id).await,
                None => Ok(None),
            }
        })
    }

    fn unique_id<'a>(&'a self, tx: &'a Tx, name: &'a str) -> BoxFuture<'a, Result<Option<String>, Unpinned>> {
        Box::pin(async move {
            let ours = self.known_id(name);
            match (&self.behind, Arn::parse(name)) {
                _ if ours.is_some() => Ok(ours),
                (Some((_, policies_of)), _) => policies_of.unique_id(tx, name).await,
                (None, Ok(arn)) if arn.service() != "iam" || arn.account() != self.account.to_string() => {
                    Ok(None)
                }
                (None, _) => Err(Unpinned::UnknownPrincipal(name.to_owned())),
            }
        })
    }

    fn managed_policy<'a>(
        &'a self,
        tx: &'a Tx,
        arn: &'a str,
    ) -> BoxFuture<'a, Result<Option<String>, StoreError>> {
        Box::pin(async move {
            match &self.behind {
                Some((_, policies_of)) => policies_of.managed_policy(tx, arn).await,
                None => Ok(None),
            }
        })
    }
}
