use std::fmt;
use std::sync::Arc;

use crate::{Policy, PolicyKind, PrincipalKind, Request};

/// The kinds of policy that have a say in a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layer {
    /// Policies of the user and its groups, or of the role.
    Identity,
    /// The permissions boundary.
    Boundary,
    /// Policies handed over when the session was made.
    Session,
    /// The policy of the resource.
    Resource,
    /// The trust policy of a role.
    Trust,
}

impl Layer {
    /// As AWS's messages call it.
    fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity-based policy",
            Self::Boundary => "permissions boundary",
            Self::Session => "session policy",
            Self::Resource => "resource-based policy",
            Self::Trust => "role trust policy",
        }
    }

    fn article(self) -> &'static str {
        match self {
            Self::Identity => "an",
            Self::Boundary | Self::Session | Self::Resource => "a",
            Self::Trust => "the",
        }
    }
}

/// The statement that decided.
#[derive(Clone, Debug)]
pub struct StatementRef {
    /// The policy that holds it.
    pub policy: Arc<Policy>,
    /// Its place in the document, from zero.
    pub index: usize,
}

impl StatementRef {
    /// The layer that the policy belongs to.
    pub fn layer(&self) -> Layer {
        match self.policy.kind() {
            PolicyKind::Identity => Layer::Identity,
            PolicyKind::Boundary => Layer::Boundary,
            PolicyKind::Session => Layer::Session,
            PolicyKind::Resource => Layer::Resource,
            PolicyKind::Trust => Layer::Trust,
        }
    }
}

impl fmt::Display for StatementRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "statement {}", self.index + 1)?;
        match self.policy.sid(self.index) {
            "" => {}
            sid => write!(f, " ({sid})")?,
        }
        write!(f, " of {} {}", self.layer().name(), self.policy.name())
    }
}

/// What the policies say to a request. `Display` is its reason, for one line of the server's log.
#[derive(Clone, Debug)]
pub enum Decision {
    /// It is allowed; none where the account's root asked, whom nothing needs to allow.
    Allowed(Option<StatementRef>),
    /// Nothing allows it in a layer that has to.
    ImplicitDeny(Layer),
    /// A statement forbids it.
    ExplicitDeny(StatementRef),
}

impl Decision {
    /// Whether the request may go on.
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed(_))
    }

    /// AWS's message for the refused request; empty where it is allowed.
    pub fn message(&self, request: &Request<'_>) -> String {
        let reason = match self {
            Self::Allowed(_) => return String::new(),
            Self::ImplicitDeny(layer) => {
                format!("because no {} allows the {} action", layer.name(), request.action)
            }
            Self::ExplicitDeny(statement) => {
                let layer = statement.layer();
                format!("with an explicit deny in {} {}", layer.article(), layer.name())
            }
        };
        let user = match request.principal.kind {
            PrincipalKind::Anonymous => "anonymous",
            _ => request.principal.arn,
        };
        match request.resource {
            "*" => format!("User: {user} is not authorized to perform: {} {reason}", request.action),
            resource => {
                format!(
                    "User: {user} is not authorized to perform: {} on resource: {resource} {reason}",
                    request.action
                )
            }
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allowed(Some(statement)) => write!(f, "allowed by {statement}"),
            Self::Allowed(None) => f.write_str("allowed to the account's root"),
            Self::ImplicitDeny(layer) => write!(f, "no {} allows it", layer.name()),
            Self::ExplicitDeny(statement) => write!(f, "denied by {statement}"),
        }
    }
}
