use super::{Effect, PolicyKind};
use crate::PolicyFault;
use crate::condition::Condition;
use crate::node::Node;
use crate::pattern::{ArnPattern, Grammar, Match, Template};
use crate::principal::{Named, Principals};
use crate::request::Request;

/// One statement, compiled.
#[derive(Debug)]
pub(crate) struct Statement {
    sid: Option<Box<str>>,
    effect: Effect,
    principals: Option<Scope<Principals>>,
    actions: Scope<Box<[Template]>>,
    resources: Option<Scope<Box<[ArnPattern]>>>,
    conditions: Box<[Condition]>,
}

/// An element or its `Not…` form.
#[derive(Debug)]
enum Scope<T> {
    Only(T),
    AllBut(T),
}

impl Statement {
    pub(super) fn parse(node: Node, kind: PolicyKind, grammar: Grammar) -> Result<Self, PolicyFault> {
        let mut draft = Draft::default();
        for (name, node) in node.into_object()? {
            draft.read(name, node, kind, grammar)?;
        }
        draft.finish(kind)
    }

    pub(crate) fn effect(&self) -> Effect {
        self.effect
    }

    pub(super) fn sid(&self) -> Option<&str> {
        self.sid.as_deref()
    }

    pub(super) fn named_identities(&self) -> impl Iterator<Item = &str> {
        let principals = self.principals.iter();
        principals.flat_map(|scope| match scope {
            Scope::Only(principals) | Scope::AllBut(principals) => principals.identities(),
        })
    }

    /// Whether the statement applies to the request, and how closely it names who asks
    /// (directly, where it names nobody because it is attached to them).
    pub(crate) fn applies(&self, request: &Request<'_>) -> Option<Named> {
        if !self.speaks_of_action(request) || !self.speaks_of_resource(request) {
            return None;
        }
        let named = self.speaks_of_principal(request)?;
        self.conditions.iter().all(|condition| condition.holds(request.context, self.effect)).then_some(named)
    }

    pub(super) fn reads_context(&self) -> bool {
        let resources = match &self.resources {
            None => [].as_slice(),
            Some(Scope::Only(patterns) | Scope::AllBut(patterns)) => patterns,
        };
        !self.conditions.is_empty() || resources.iter().any(ArnPattern::has_variables)
    }

    fn speaks_of_action(&self, request: &Request<'_>) -> bool {
        let listed = |templates: &[Template]| {
            templates.iter().any(|t| t.matches_in_any_case(request.action, request.context) == Match::Yes)
        };
        match &self.actions {
            Scope::Only(templates) => listed(templates),
            Scope::AllBut(templates) => !listed(templates),
        }
    }

    fn speaks_of_resource(&self, request: &Request<'_>) -> bool {
        let listed = |patterns: &[ArnPattern]| {
            Match::any(patterns.iter().map(|pattern| pattern.matches(request.resource, request.context)))
        };
        match &self.resources {
            None => true,
            Some(Scope::Only(patterns)) => listed(patterns) == Match::Yes,
            Some(Scope::AllBut(patterns)) => match listed(patterns) {
                Match::Yes => false,
                Match::No => true,
                Match::Unresolved => self.effect == Effect::Deny,
            },
        }
    }

    fn speaks_of_principal(&self, request: &Request<'_>) -> Option<Named> {
        match &self.principals {
            None => Some(Named::Directly),
            Some(Scope::Only(principals)) => principals.names(request.principal),
            Some(Scope::AllBut(principals)) => {
                let spared = match self.effect {
                    Effect::Allow => principals.names(request.principal).is_some(),
                    Effect::Deny => principals.exempts(request.principal),
                };
                (!spared).then_some(Named::Directly)
            }
        }
    }
}

/// A statement while its members are read.
#[derive(Default)]
struct Draft {
    sid: Option<Box<str>>,
    effect: Option<Effect>,
    principals: Option<Scope<Principals>>,
    actions: Option<Scope<Box<[Template]>>>,
    resources: Option<Scope<Box<[ArnPattern]>>>,
    conditions: Box<[Condition]>,
}

impl Draft {
    fn read(
        &mut self,
        name: String,
        node: Node,
        kind: PolicyKind,
        grammar: Grammar,
    ) -> Result<(), PolicyFault> {
        match name.as_str() {
            "Sid" => self.sid = sid(node.into_text()?, kind)?,
            "Effect" => self.effect = Some(effect(&node.into_text()?)?),
            "Principal" => once(&mut self.principals, Scope::Only(principals(node, kind)?))?,
            "NotPrincipal" => once(&mut self.principals, Scope::AllBut(principals(node, kind)?))?,
            "Action" => once(&mut self.actions, Scope::Only(actions(node, kind)?))?,
            "NotAction" => once(&mut self.actions, Scope::AllBut(actions(node, kind)?))?,
            "Resource" => {
                once(&mut self.resources, Scope::Only(resources(node, kind, grammar, "Resource")?))?;
            }
            "NotResource" => {
                once(&mut self.resources, Scope::AllBut(resources(node, kind, grammar, "NotResource")?))?;
            }
            "Condition" => self.conditions = Condition::parse_all(node, grammar)?,
            _ => return Err(PolicyFault::UnknownField(name)),
        }
        Ok(())
    }

    fn finish(self, kind: PolicyKind) -> Result<Statement, PolicyFault> {
        if kind.names_principals() && self.principals.is_none() {
            return Err(PolicyFault::MissingField("Principal"));
        }
        if kind != PolicyKind::Trust && self.resources.is_none() {
            return Err(PolicyFault::NoResources);
        }
        Ok(Statement {
            sid: self.sid,
            effect: self.effect.ok_or(PolicyFault::MissingField("Effect"))?,
            principals: self.principals,
            actions: self.actions.ok_or(PolicyFault::NoActions)?,
            resources: self.resources,
            conditions: self.conditions,
        })
    }
}

/// An element and its `Not…` form exclude each other.
fn once<T>(place: &mut Option<Scope<T>>, scope: Scope<T>) -> Result<(), PolicyFault> {
    match place.replace(scope) {
        None => Ok(()),
        Some(_) => Err(PolicyFault::Syntax),
    }
}

fn sid(text: String, kind: PolicyKind) -> Result<Option<Box<str>>, PolicyFault> {
    if kind != PolicyKind::Resource && !text.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(PolicyFault::Sid);
    }
    Ok((!text.is_empty()).then(|| text.into()))
}

fn effect(text: &str) -> Result<Effect, PolicyFault> {
    match text {
        "Allow" => Ok(Effect::Allow),
        "Deny" => Ok(Effect::Deny),
        _ => Err(PolicyFault::Syntax),
    }
}

fn principals(node: Node, kind: PolicyKind) -> Result<Principals, PolicyFault> {
    if !kind.names_principals() {
        return Err(PolicyFault::PrincipalForbidden);
    }
    Principals::parse(node)
}

fn actions(node: Node, kind: PolicyKind) -> Result<Box<[Template]>, PolicyFault> {
    let texts = node.into_texts()?;
    if texts.is_empty() {
        return Err(PolicyFault::NoActions);
    }
    texts.iter().map(|text| action(text, kind)).collect()
}

fn action(text: &str, kind: PolicyKind) -> Result<Template, PolicyFault> {
    let vendor = match text.split_once(':') {
        None if text == "*" => "*",
        None => return Err(PolicyFault::NoVendor),
        Some((_, name)) if name.contains(':') => return Err(PolicyFault::SecondColon),
        Some((vendor, _)) => vendor,
    };
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    if vendor != "*" && (vendor.is_empty() || !vendor.bytes().all(plain)) {
        return Err(PolicyFault::Vendor(vendor.to_owned()));
    }
    if kind == PolicyKind::Trust && !vendor.eq_ignore_ascii_case("sts") {
        return Err(PolicyFault::NotAnAssumeRoleAction);
    }
    Template::parse(text, Grammar { wildcards: true, variables: false })
}

fn resources(
    node: Node,
    kind: PolicyKind,
    grammar: Grammar,
    field: &'static str,
) -> Result<Box<[ArnPattern]>, PolicyFault> {
    if kind == PolicyKind::Trust {
        return Err(PolicyFault::ProhibitedField(field));
    }
    let texts = node.into_texts()?;
    if texts.is_empty() {
        return Err(PolicyFault::NoResources);
    }
    let pattern = |text: &String| {
        ArnPattern::parse(text, grammar.variables)?.ok_or_else(|| PolicyFault::NotAnArn(text.clone()))
    };
    texts.iter().map(pattern).collect()
}
