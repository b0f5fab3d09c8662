use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use homeport_core::{Account, Scope, Timestamp};
use homeport_policy::{
    Context, Decision, EvaluationSet, Policy, PolicyKind, PrincipalKind, PrincipalView, Request,
    ResourceSide, evaluate,
};
use homeport_store::{Store, StoreError, Tx};

use crate::needs::{Policies, met};
use crate::{AuthorizationEpoch, Caller, HandedRole, Needs, Permission, Principal};

/// Principals whose policies are kept ready; when full, the cache starts anew.
const CACHED_PRINCIPALS: usize = 10_000;

/// Asks IAM: gathers the policies that have a say and has them judged.
pub struct Authorizer {
    needs: Arc<Needs>,
    epoch: Arc<AuthorizationEpoch>,
    account: Account,
    /// The same, as policies have it.
    account_number: String,
    cache: Mutex<Cache>,
}

#[derive(Default)]
struct Cache {
    seen_epoch: u64,
    by_principal: HashMap<String, Arc<Known>>,
}

/// A principal's policies as of an epoch of the store.
struct Known {
    policies: Policies,
    epoch: i64,
}

/// Why a call was refused: a sentence for the client and one for the server's log.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// The action that is not allowed.
    pub action: String,
    /// On which resource.
    pub resource: String,
    /// AWS's message.
    pub message: String,
    /// Which statement or layer refused, for the log.
    pub reason: String,
    /// Set when everything is allowed but the handed role does not admit its service.
    pub untrusting_role: Option<Box<HandedRole>>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Authorizer {
    /// An authorizer for this installation's account.
    pub fn new(needs: Arc<Needs>, epoch: Arc<AuthorizationEpoch>, account: Account) -> Self {
        Self { needs, epoch, account, account_number: account.to_string(), cache: Mutex::default() }
    }

    /// Decides before the operation runs. The number is the store's epoch that the decision holds for.
    pub async fn decide(
        &self,
        store: &Store,
        caller: &Caller,
        scope: &Scope,
        now: Timestamp,
        permissions: &[Permission],
    ) -> Result<Result<i64, Refusal>, StoreError> {
        let known = self.known(store, &caller.principal).await?;
        let needs_store =
            permissions.iter().any(|p| p.hands_role.is_some() || self.has_resource_policies(&p.resource));
        if !needs_store {
            let judged =
                permissions.iter().try_for_each(|p| self.judge(caller, scope, now, p, &known.policies, None));
            return Ok(judged.map(|()| known.epoch));
        }
        let verdict = store
            .read(|tx| {
                let known = known.clone();
                async move { self.judge_all(&tx, caller, scope, now, permissions, &known.policies).await }
            })
            .await?;
        Ok(verdict.map(|()| known.epoch))
    }

    /// Decides each for itself, all by one state of the store. The refusals come by their places in the list; the
    /// number is the store's epoch that the decisions hold for.
    pub async fn decide_each(
        &self,
        store: &Store,
        caller: &Caller,
        scope: &Scope,
        now: Timestamp,
        permissions: &[Permission],
    ) -> Result<(i64, BTreeMap<usize, Refusal>), StoreError> {
        let known = self.known(store, &caller.principal).await?;
        let policies = &known.policies;
        let refused = store
            .read(|tx| async move {
                let mut refused = BTreeMap::new();
                for (place, permission) in permissions.iter().enumerate() {
                    let alone = std::slice::from_ref(permission);
                    let judged = self.judge_all(&tx, caller, scope, now, alone, policies).await?;
                    refused.extend(judged.err().map(|refusal| (place, refusal)));
                }
                Ok::<_, StoreError>(refused)
            })
            .await?;
        Ok((known.epoch, refused))
    }

    /// Decides anew inside a transaction, with every policy read through it.
    pub async fn decide_in(
        &self,
        tx: &Tx,
        caller: &Caller,
        scope: &Scope,
        now: Timestamp,
        permissions: &[Permission],
    ) -> Result<Result<(), Refusal>, StoreError> {
        let policies = self.policies_in(tx, &caller.principal).await?;
        self.judge_all(tx, caller, scope, now, permissions, &policies).await
    }

    async fn judge_all(
        &self,
        tx: &Tx,
        caller: &Caller,
        scope: &Scope,
        now: Timestamp,
        permissions: &[Permission],
        policies: &Policies,
    ) -> Result<Result<(), Refusal>, StoreError> {
        for permission in permissions {
            let resource = self.resource_policy(tx, &permission.resource).await?;
            if let Err(refusal) = self.judge(caller, scope, now, permission, policies, resource.as_ref()) {
                return Ok(Err(refusal));
            }
            if let Some(role) = &permission.hands_role
                && let Err(refusal) = self.role_admits(tx, role, permission, now).await?
            {
                return Ok(Err(refusal));
            }
        }
        Ok(Ok(()))
    }

    fn judge(
        &self,
        caller: &Caller,
        scope: &Scope,
        now: Timestamp,
        permission: &Permission,
        policies: &Policies,
        resource: Option<&Arc<Policy>>,
    ) -> Result<(), Refusal> {
        let identity = Identity::of(&caller.principal, self.account, &self.account_number);
        let view = identity.view();
        let session = match &caller.principal {
            Principal::Role(session) => session.session_policies.as_slice(),
            Principal::User { session: Some(session), .. } => session.session_policies.as_slice(),
            _ => &[],
        };
        let set = EvaluationSet {
            identity: &policies.identity,
            boundary: policies.boundary.as_ref(),
            session,
            resource: match resource {
                None => ResourceSide::Silent,
                // A trust policy speaks of taking on the role; of changing the role it says nothing.
                Some(policy)
                    if policy.kind() == PolicyKind::Trust && !permission.action.starts_with("sts:") =>
                {
                    ResourceSide::Silent
                }
                Some(policy) if policy.kind() == PolicyKind::Trust => ResourceSide::Required(policy),
                Some(policy) => ResourceSide::Grants(policy),
            },
            resource_account: account_of(&permission.resource).unwrap_or(&self.account_number),
        };
        let context = match set.reads_context() {
            true => context(&view, caller, scope, now, permission, policies),
            false => Context::new(),
        };
        let request = Request {
            principal: &view,
            action: &permission.action,
            resource: &permission.resource,
            context: &context,
        };
        let decision = evaluate(&set, &request);
        if decision.is_allowed() {
            return Ok(());
        }
        Err(Refusal {
            action: permission.action.to_string(),
            resource: permission.resource.clone(),
            message: decision.message(&request),
            reason: decision.to_string(),
            untrusting_role: None,
        })
    }

    async fn role_admits(
        &self,
        tx: &Tx,
        handed: &HandedRole,
        permission: &Permission,
        now: Timestamp,
    ) -> Result<Result<(), Refusal>, StoreError> {
        let role = match met(&self.needs.policies_of, "PoliciesOf") {
            Ok(policies_of) => policies_of.role(tx, &handed.role_arn).await?,
            Err(_) => None,
        };
        let decision = role.map(|role| self.trust(&role.trust, handed, now));
        if decision.as_ref().is_some_and(Decision::is_allowed) {
            return Ok(Ok(()));
        }
        Ok(Err(Refusal {
            action: permission.action.to_string(),
            resource: permission.resource.clone(),
            message: format!("The role {} cannot be assumed by {}.", handed.role_arn, handed.service),
            reason: decision.map_or_else(|| "no such role".to_owned(), |decision| decision.to_string()),
            untrusting_role: Some(Box::new(handed.clone())),
        }))
    }

    fn trust(&self, trust: &Arc<Policy>, handed: &HandedRole, now: Timestamp) -> Decision {
        let view =
            PrincipalView { arn: handed.service, account: "", user_id: "", kind: PrincipalKind::Service };
        let mut context = Context::of(&view);
        context.set("aws:CurrentTime", now.rfc3339());
        context.set("aws:SourceAccount", self.account_number.as_str());
        let set = EvaluationSet {
            identity: &[],
            boundary: None,
            session: &[],
            resource: ResourceSide::Required(trust),
            resource_account: &self.account_number,
        };
        evaluate(
            &set,
            &Request {
                principal: &view,
                action: "sts:AssumeRole",
                resource: &handed.role_arn,
                context: &context,
            },
        )
    }

    fn has_resource_policies(&self, resource: &str) -> bool {
        self.resource_policies_of(resource).is_some_and(|owner| owner.may_have_policy(resource))
    }

    fn resource_policies_of(&self, resource: &str) -> Option<&Arc<dyn crate::needs::ResourcePolicy>> {
        let service = resource.strip_prefix("arn:")?.split(':').nth(1)?;
        let owners = self.needs.resource_policies.get()?;
        owners.iter().find(|(name, _)| *name == service).map(|(_, owner)| owner)
    }

    async fn resource_policy(&self, tx: &Tx, resource: &str) -> Result<Option<Arc<Policy>>, StoreError> {
        match self.resource_policies_of(resource) {
            Some(owner) => owner.resource_policy(tx, resource).await,
            None => Ok(None),
        }
    }

    async fn policies_in(&self, tx: &Tx, principal: &Principal) -> Result<Policies, StoreError> {
        match (principal, met(&self.needs.policies_of, "PoliciesOf")) {
            (Principal::User { .. } | Principal::Role(_), Ok(policies_of)) => {
                policies_of.policies_of(tx, principal).await
            }
            _ => Ok(Policies::default()),
        }
    }

    /// The store's epoch by which the principal's policies are known: no later than that of anything read after this.
    pub async fn epoch(&self, store: &Store, principal: &Principal) -> Result<i64, StoreError> {
        Ok(self.known(store, principal).await?.epoch)
    }

    async fn known(&self, store: &Store, principal: &Principal) -> Result<Arc<Known>, StoreError> {
        match self.cached(principal) {
            Some(known) => Ok(known),
            None => self.look_up(store, principal).await,
        }
    }

    fn cached(&self, principal: &Principal) -> Option<Arc<Known>> {
        let key = cache_key(principal)?;
        let cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        (cache.seen_epoch == self.epoch.current()).then(|| cache.by_principal.get(key).cloned()).flatten()
    }

    async fn look_up(&self, store: &Store, principal: &Principal) -> Result<Arc<Known>, StoreError> {
        let seen = self.epoch.current();
        let known = store
            .read(|tx| async move {
                let epoch = AuthorizationEpoch::in_transaction(&tx).await?;
                let policies = self.policies_in(&tx, principal).await?;
                Ok::<_, StoreError>(Arc::new(Known { policies, epoch }))
            })
            .await?;
        if let Some(key) = cache_key(principal) {
            let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
            if cache.seen_epoch != seen || cache.by_principal.len() >= CACHED_PRINCIPALS {
                *cache = Cache { seen_epoch: seen, by_principal: HashMap::new() };
            }
            cache.by_principal.insert(key.to_owned(), known.clone());
        }
        Ok(known)
    }
}

/// Policies hang on the unique id: of a user, or of a role, whose sessions share them.
fn cache_key(principal: &Principal) -> Option<&str> {
    match principal {
        Principal::User { id, .. } => Some(id),
        Principal::Role(session) => Some(&session.role_id),
        Principal::Anonymous | Principal::Token(_) | Principal::Service(_) => None,
    }
}

fn account_of(arn: &str) -> Option<&str> {
    arn.strip_prefix("arn:")?.split(':').nth(3).filter(|account| !account.is_empty() && *account != "aws")
}

/// The texts that a [`PrincipalView`] borrows.
struct Identity<'a> {
    arn: Cow<'a, str>,
    user_id: Cow<'a, str>,
    account: &'a str,
    kind: PrincipalKind<'a>,
}

impl<'a> Identity<'a> {
    fn of(principal: &'a Principal, account: Account, account_number: &'a str) -> Self {
        let kind = match principal {
            Principal::User { .. } => PrincipalKind::User,
            Principal::Role(session) => PrincipalKind::AssumedRole { role_arn: session.role_arn.as_str() },
            Principal::Service(_) => PrincipalKind::Service,
            Principal::Anonymous | Principal::Token(_) => PrincipalKind::Anonymous,
        };
        let arn = match principal {
            Principal::User { arn, .. } => Cow::Borrowed(arn.as_str()),
            Principal::Role(session) => Cow::Owned(session.arn(account).to_string()),
            Principal::Service(name) => Cow::Borrowed(*name),
            Principal::Anonymous | Principal::Token(_) => Cow::Borrowed("anonymous"),
        };
        let user_id = match principal {
            Principal::User { id, .. } => Cow::Borrowed(id.as_str()),
            other => Cow::Owned(other.user_id().unwrap_or_default()),
        };
        let owned = matches!(kind, PrincipalKind::User | PrincipalKind::AssumedRole { .. });
        Self { arn, user_id, account: if owned { account_number } else { "" }, kind }
    }

    fn view(&self) -> PrincipalView<'_> {
        PrincipalView { arn: &self.arn, account: self.account, user_id: &self.user_id, kind: self.kind }
    }
}

/// The condition keys of one call: who, from where, when, and what the operation adds.
fn context(
    view: &PrincipalView<'_>,
    caller: &Caller,
    scope: &Scope,
    now: Timestamp,
    permission: &Permission,
    policies: &Policies,
) -> Context {
    let mut context = Context::of(view);
    context.set("aws:SourceIp", caller.source.ip.to_string());
    context.set("aws:SecureTransport", caller.source.secure.to_string());
    context.set("aws:CurrentTime", now.rfc3339_seconds());
    context.set("aws:EpochTime", now.seconds().to_string());
    context.set("aws:RequestedRegion", scope.region.as_str());
    if !caller.source.user_agent.is_empty() {
        context.set("aws:UserAgent", caller.source.user_agent.as_str());
    }
    match &caller.principal {
        Principal::User { session: Some(session), .. } => {
            context.set("aws:MultiFactorAuthPresent", session.mfa.to_string());
            context.set("aws:TokenIssueTime", session.issued.rfc3339_seconds());
        }
        Principal::Role(session) => {
            context.set("aws:MultiFactorAuthPresent", session.mfa.to_string());
            context.set("aws:TokenIssueTime", session.issued.rfc3339_seconds());
            if let Some(source) = &session.source_identity {
                context.set("aws:SourceIdentity", source.as_str());
            }
            for (key, value) in &session.tags {
                context.set(format!("aws:PrincipalTag/{key}"), value.as_str());
            }
            for (key, values) in &session.context {
                context.set_many(key.clone(), values.clone());
            }
        }
        _ => {}
    }
    for (key, values) in &permission.context {
        context.set_many(key.clone(), values.clone());
    }
    for (key, value) in &policies.tags {
        context.set(format!("aws:PrincipalTag/{key}"), value.as_str());
    }
    context
}
