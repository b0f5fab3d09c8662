use std::sync::Arc;

use crate::document::Effect;
use crate::principal::Named;
use crate::{Decision, Layer, Policy, PolicyKind, PrincipalKind, Request, StatementRef};

/// What the resource's side has to say.
#[derive(Clone, Copy, Debug)]
pub enum ResourceSide<'a> {
    /// It has no policy.
    Silent,
    /// Its policy may grant by itself to principals of its own account (a bucket's, a function's).
    Grants(&'a Arc<Policy>),
    /// Its policy has to allow, and does not suffice for users and roles: a role's trust policy, a
    /// key's policy.
    Required(&'a Arc<Policy>),
}

/// Every policy that has a say in one request.
#[derive(Clone, Copy, Debug)]
pub struct EvaluationSet<'a> {
    /// Policies of the user and its groups, or of the role, in any order.
    pub identity: &'a [Arc<Policy>],
    /// The permissions boundary of the user or role.
    pub boundary: Option<&'a Arc<Policy>>,
    /// Session policies; empty where the session was made without any.
    pub session: &'a [Arc<Policy>],
    /// The resource's own policy.
    pub resource: ResourceSide<'a>,
    /// The account that owns the resource. A principal of another one needs both sides to allow.
    pub resource_account: &'a str,
}

impl EvaluationSet<'_> {
    /// Whether the decision may hang on the request's condition keys: some policy has a condition or a policy
    /// variable. Where none has, whoever asks may leave the context empty.
    pub fn reads_context(&self) -> bool {
        let resource = match self.resource {
            ResourceSide::Silent => None,
            ResourceSide::Grants(policy) | ResourceSide::Required(policy) => Some(policy),
        };
        let mut all = self.identity.iter().chain(self.boundary).chain(self.session).chain(resource);
        all.any(|policy| policy.reads_context())
    }
}

/// Judges a request as "Policy evaluation logic" of the IAM User Guide states:
///
/// 1. An explicit deny in any policy decides.
/// 2. Within the resource's account, its policy alone suffices where it names the user, the session
///    or everyone; where it names the role, boundary and session policies still have to allow;
///    where it names the account, the identity's own policies have to.
/// 3. Otherwise the identity's policies, its boundary and its session policies all have to allow,
///    and from another account the resource's too.
/// 4. Services, web identities and anonymous callers have no policies of their own: the resource's decides.
///
/// One thing is stricter than AWS: a trust or key policy never suffices by itself for a user or role,
/// even if it names it.
pub fn evaluate(set: &EvaluationSet<'_>, request: &Request<'_>) -> Decision {
    let (resource_policy, required) = match set.resource {
        ResourceSide::Silent => (None, false),
        ResourceSide::Grants(policy) => (Some(policy), false),
        ResourceSide::Required(policy) => (Some(policy), true),
    };
    let mut opinions = Opinions::default();
    let verdict = (|| {
        opinions.identity = opinion(set.identity, request)?;
        opinions.boundary = opinion(set.boundary, request)?;
        opinions.session = opinion(set.session, request)?;
        opinions.resource = opinion(resource_policy, request)?;
        Ok(())
    })();
    if let Err(denied) = verdict {
        return Decision::ExplicitDeny(denied);
    }
    let resource_layer = match resource_policy {
        Some(policy) if policy.kind() == PolicyKind::Trust => Layer::Trust,
        _ => Layer::Resource,
    };
    let granted = opinions.resource.as_ref();
    let foreign = request.principal.account != set.resource_account;
    match request.principal.kind {
        PrincipalKind::Service | PrincipalKind::WebIdentity { .. } | PrincipalKind::Anonymous => {
            return granted.map_or(Decision::ImplicitDeny(resource_layer), Grant::allowed);
        }
        PrincipalKind::Root
        | PrincipalKind::User
        | PrincipalKind::AssumedRole { .. }
        | PrincipalKind::FederatedUser => {}
    }
    if let Some(grant) = granted
        && !required
        && !foreign
        && grant.named == Named::Directly
    {
        return grant.allowed();
    }
    let identity = match (granted, &opinions.identity) {
        (Some(grant), _) if !required && !foreign && grant.named == Named::Role => Some(grant.allowed()),
        (_, Some(grant)) => Some(grant.allowed()),
        (_, None) if request.principal.kind == PrincipalKind::Root => Some(Decision::Allowed(None)),
        (_, None) => None,
    };
    let Some(allowed) = identity else {
        return Decision::ImplicitDeny(Layer::Identity);
    };
    if set.boundary.is_some() && opinions.boundary.is_none() {
        return Decision::ImplicitDeny(Layer::Boundary);
    }
    if !set.session.is_empty() && opinions.session.is_none() {
        return Decision::ImplicitDeny(Layer::Session);
    }
    if (required || foreign) && granted.is_none() {
        return Decision::ImplicitDeny(resource_layer);
    }
    allowed
}

/// What each layer allows.
#[derive(Default)]
struct Opinions {
    identity: Option<Grant>,
    boundary: Option<Grant>,
    session: Option<Grant>,
    resource: Option<Grant>,
}

struct Grant {
    by: StatementRef,
    named: Named,
}

impl Grant {
    fn allowed(&self) -> Decision {
        Decision::Allowed(Some(self.by.clone()))
    }
}

/// The closest allow among the policies' statements; `Err` is a deny.
fn opinion<'a>(
    policies: impl IntoIterator<Item = &'a Arc<Policy>>,
    request: &Request<'_>,
) -> Result<Option<Grant>, StatementRef> {
    let mut closest: Option<(&Arc<Policy>, usize, Named)> = None;
    for policy in policies {
        for (index, statement) in policy.statements().iter().enumerate() {
            // An allow that could not beat the one in hand needs no look.
            let settled = closest.is_some_and(|(_, _, named)| named == Named::Directly);
            if settled && statement.effect() == Effect::Allow {
                continue;
            }
            let Some(named) = statement.applies(request) else {
                continue;
            };
            match statement.effect() {
                Effect::Deny => {
                    return Err(StatementRef { policy: policy.clone(), index });
                }
                Effect::Allow if closest.is_none_or(|(_, _, best)| named > best) => {
                    closest = Some((policy, index, named));
                }
                Effect::Allow => {}
            }
        }
    }
    Ok(closest
        .map(|(policy, index, named)| Grant { by: StatementRef { policy: policy.clone(), index }, named }))
}
