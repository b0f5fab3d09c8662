//! The resource policy of a deployment.

use std::sync::Arc;

use homeport_policy::{Context, Decision, EvaluationSet, Policy, PrincipalKind, PrincipalView, Request};
use homeport_policy::{ResourceSide, evaluate};

use super::exchange::Exchange;
use super::refusal::Refusal;
use super::served::Served;

/// What the policy says to a caller that it knows nothing of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// A statement allows it.
    Allows,
    /// No statement is about it.
    Nothing,
    /// A statement forbids it.
    Denies,
}

/// Condition keys of a call.
pub(super) fn context_of(exchange: &Exchange) -> Context {
    let mut context = Context::new();
    context.set("aws:SourceIp", exchange.source_ip().to_string());
    context.set("aws:SecureTransport", exchange.peer.secure.to_string());
    context.set("aws:CurrentTime", exchange.started.rfc3339_seconds());
    context.set("aws:EpochTime", exchange.started.seconds().to_string());
    if let Some(agent) = exchange.header("user-agent") {
        context.set("aws:UserAgent", agent);
    }
    if let Some(referer) = exchange.header("referer") {
        context.set("aws:Referer", referer);
    }
    context
}

/// Holds a call against the policy, as nobody in particular.
pub(super) fn said(policy: &Arc<Policy>, exchange: &Exchange, served: &Served) -> Said {
    let (account, arn) = (served.home.account.to_string(), exchange.method_arn());
    let principal =
        PrincipalView { arn: "anonymous", account: "", user_id: "", kind: PrincipalKind::Anonymous };
    let context = context_of(exchange);
    let request =
        Request { principal: &principal, action: "execute-api:Invoke", resource: &arn, context: &context };
    let set = EvaluationSet {
        identity: &[],
        boundary: None,
        session: &[],
        resource: ResourceSide::Grants(policy),
        resource_account: &account,
    };
    match evaluate(&set, &request) {
        Decision::Allowed(_) => Said::Allows,
        Decision::ImplicitDeny(_) => Said::Nothing,
        Decision::ExplicitDeny(_) => Said::Denies,
    }
}

/// AWS's words, in which all but the last digits of the account are covered.
pub(super) fn refusal(exchange: &Exchange, served: &Served, explicit: bool) -> Refusal {
    let account = served.home.account.to_string();
    let covered = format!("********{}", &account[8..]);
    let arn = exchange.method_arn().replacen(&account, &covered, 1);
    let explicit = if explicit { " with an explicit deny" } else { "" };
    Refusal::denied(format!(
        "User: anonymous is not authorized to perform: execute-api:Invoke on resource: {arn}{explicit}"
    ))
}
