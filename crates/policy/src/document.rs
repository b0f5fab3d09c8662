mod statement;

use std::collections::HashSet;

use crate::PolicyFault;
use crate::node::Node;
use crate::pattern::Grammar;
pub(crate) use statement::Statement;

/// What a policy is attached to, which decides what it may and must say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PolicyKind {
    /// To a user, a group or a role; also managed policies. Without `Principal`, with `Resource`.
    Identity,
    /// To a resource, such as a bucket. With `Principal` and `Resource`.
    Resource,
    /// A role's trust policy. With `Principal`, without `Resource`, of actions of STS only.
    Trust,
    /// Handed over when a session is made. Without `Principal`, with `Resource`.
    Session,
    /// A permissions boundary. Without `Principal`, with `Resource`.
    Boundary,
}

impl PolicyKind {
    fn names_principals(self) -> bool {
        matches!(self, Self::Resource | Self::Trust)
    }
}

/// What a statement does where it applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It permits.
    Allow,
    /// It forbids, whatever else permits.
    Deny,
}

/// A policy document, validated and compiled: parse once, share by `Arc`.
#[derive(Debug)]
pub struct Policy {
    name: Box<str>,
    text: Box<str>,
    kind: PolicyKind,
    statements: Box<[Statement]>,
    reads_context: bool,
}

impl Policy {
    /// Reads and validates a document. A value may stand for a list of one everywhere; an operator
    /// that does not exist and a member the language does not have are faults. The document's size
    /// is for the caller to bound: the limits differ by where it is attached.
    pub fn parse(json: &str, kind: PolicyKind) -> Result<Self, PolicyFault> {
        let mut grammar = Grammar { wildcards: true, variables: false };
        let mut statements = None;
        for (name, node) in Node::parse(json)?.into_object()? {
            match name.as_str() {
                "Version" => grammar.variables = version_has_variables(&node.into_text()?)?,
                "Id" => drop(node.into_text()?),
                "Statement" => statements = Some(node.into_list()),
                _ => return Err(PolicyFault::UnknownField(name)),
            }
        }
        let nodes = statements.ok_or(PolicyFault::MissingField("Statement"))?;
        if nodes.is_empty() {
            return Err(PolicyFault::MissingField("Statement"));
        }
        let parse = |node: Node| Statement::parse(node, kind, grammar);
        let statements = nodes.into_iter().map(parse).collect::<Result<Box<[_]>, _>>()?;
        let mut seen = HashSet::new();
        if !statements.iter().filter_map(Statement::sid).all(|sid| seen.insert(sid)) {
            return Err(PolicyFault::DuplicateSid);
        }
        let reads_context = statements.iter().any(Statement::reads_context);
        Ok(Self { name: "".into(), text: json.into(), kind, statements, reads_context })
    }

    /// The same policy with a name for the log: its ARN, or the name it has where it is inline.
    #[must_use]
    pub fn named(mut self, name: impl Into<Box<str>>) -> Self {
        self.name = name.into();
        self
    }

    /// The name it was given; empty without one.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The document as it was read.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it is attached to.
    pub fn kind(&self) -> PolicyKind {
        self.kind
    }

    /// The ARNs and unique ids of users, roles and sessions that its principals name, for whoever
    /// checks that they exist.
    pub fn named_identities(&self) -> impl Iterator<Item = &str> {
        self.statements.iter().flat_map(Statement::named_identities)
    }

    /// The `Sid` of a statement, by its place; empty without one.
    pub fn sid(&self, statement: usize) -> &str {
        self.statements.get(statement).and_then(Statement::sid).unwrap_or("")
    }

    /// Whether any statement has a condition or a policy variable.
    pub(crate) fn reads_context(&self) -> bool {
        self.reads_context
    }

    pub(crate) fn statements(&self) -> &[Statement] {
        &self.statements
    }
}

fn version_has_variables(version: &str) -> Result<bool, PolicyFault> {
    match version {
        "2012-10-17" => Ok(true),
        "2008-10-17" => Ok(false),
        _ => Err(PolicyFault::Syntax),
    }
}
