//! Whether a role trusts a service or a web identity. Users and sessions that assume a role are judged by the
//! pipeline, which holds the trust policy against `sts:AssumeRole` on the role.

use std::collections::BTreeMap;

use homeport_core::Timestamp;
use homeport_policy::{
    Context, Decision, EvaluationSet, PrincipalKind, PrincipalView, Request, ResourceSide, evaluate,
};
use homeport_service::needs::{RoleView, Unmet};

use crate::Sts;

/// Who asks for the role without an identity of IAM.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bearer<'a> {
    /// A service, such as `lambda.amazonaws.com`.
    Service(&'a str),
    /// The bearer of a token of this provider.
    WebIdentity(&'a str),
}

impl Bearer<'_> {
    fn action(self) -> &'static str {
        match self {
            Self::Service(_) => "sts:AssumeRole",
            Self::WebIdentity(_) => "sts:AssumeRoleWithWebIdentity",
        }
    }
}

/// The session that is asked for, as trust policies see it.
pub(crate) struct Wanted<'a> {
    pub(crate) session_name: &'a str,
    pub(crate) tags: &'a BTreeMap<String, String>,
    pub(crate) context: &'a BTreeMap<String, Vec<String>>,
    pub(crate) now: Timestamp,
}

impl Sts {
    /// The pipeline judges by trust policies only where IAM is wired as the owner of roles' policies; where it is
    /// not, no role is assumed.
    pub(crate) fn require_trust_policies(&self) -> Result<(), Unmet> {
        let owners = self.needs.resource_policies.get().into_iter().flatten();
        match owners.into_iter().any(|(service, _)| *service == "iam") {
            true => Ok(()),
            false => Err(Unmet("ResourcePolicy of iam")),
        }
    }

    /// Holds the role's trust policy against everything that the session needs: taking on the role, and
    /// `sts:TagSession` where it brings tags.
    pub(crate) fn is_trusted(&self, role: &RoleView, bearer: Bearer<'_>, wanted: &Wanted<'_>) -> bool {
        let (arn, kind) = match bearer {
            Bearer::Service(name) => (name, PrincipalKind::Service),
            Bearer::WebIdentity(provider) => (provider, PrincipalKind::WebIdentity { provider }),
        };
        let principal = PrincipalView { arn, account: "", user_id: "", kind };
        let mut context = Context::of(&principal);
        context.set("aws:CurrentTime", wanted.now.rfc3339_seconds());
        context.set("aws:EpochTime", wanted.now.seconds().to_string());
        context.set("sts:RoleSessionName", wanted.session_name);
        if matches!(bearer, Bearer::Service(_)) {
            context.set("aws:SourceAccount", self.account.to_string());
        }
        for (key, value) in wanted.tags {
            context.set(format!("aws:RequestTag/{key}"), value.as_str());
        }
        context.set_many("aws:TagKeys", wanted.tags.keys().cloned().collect());
        for (key, values) in wanted.context {
            context.set_many(key.clone(), values.clone());
        }
        let account = self.account.to_string();
        let set = EvaluationSet {
            identity: &[],
            boundary: None,
            session: &[],
            resource: ResourceSide::Required(&role.trust),
            resource_account: &account,
        };
        let admits = |action| {
            let request =
                Request { principal: &principal, action, resource: role.arn.as_str(), context: &context };
            matches!(evaluate(&set, &request), Decision::Allowed(_))
        };
        admits(bearer.action()) && (wanted.tags.is_empty() || admits("sts:TagSession"))
    }
}
