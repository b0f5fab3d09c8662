//! Finding a REST operation by method, path, query string and headers.

use std::collections::HashMap;

use crate::head::Head;
use crate::model::{Location, Operation, Service};
use crate::uri::{self, Segment};

/// The operations of a service, as a tree of path segments.
#[derive(Debug, Default)]
pub(crate) struct Router {
    literals: HashMap<&'static str, Router>,
    label: Option<Box<Router>>,
    greedy: Vec<u16>,
    here: Vec<u16>,
}

impl Router {
    fn build(service: &Service) -> Self {
        let mut root = Self::default();
        for (at, operation) in (0_u16..).zip(&service.operations) {
            root.insert(&operation.uri.segments, at);
        }
        root
    }

    fn insert(&mut self, segments: &[Segment], at: u16) {
        match segments {
            [] => self.here.push(at),
            [Segment::Greedy(_), ..] => self.greedy.push(at),
            [Segment::Literal(literal), rest @ ..] => {
                self.literals.entry(literal).or_default().insert(rest, at)
            }
            [Segment::Label(_), rest @ ..] => self.label.get_or_insert_default().insert(rest, at),
        }
    }

    /// The operations that a path fits, the most literal ones first.
    fn candidates(&self, path: &str, found: &mut Vec<u16>) {
        if path.is_empty() {
            found.extend(&self.here);
            return;
        }
        let (head, rest) = path.split_once('/').unwrap_or((path, ""));
        if let Some(next) = uri::decoded(head).and_then(|head| self.literals.get(head.as_ref())) {
            next.candidates(rest, found);
        }
        if let Some(next) = self.label.as_ref().filter(|_| !head.is_empty()) {
            next.candidates(rest, found);
        }
        found.extend(&self.greedy);
    }
}

impl Service {
    /// The operation that a REST request means: its path and method fit, it has what the operation's template wants of
    /// the query string, and of several such the one whose required query parameters and headers it has (so a `PUT`
    /// with `x-amz-copy-source` is CopyObject, not PutObject). The path is the raw one, still percent-encoded.
    pub fn route(&self, head: &Head<'_>) -> Option<&Operation> {
        let router = self.router.get_or_init(|| Router::build(self));
        let mut candidates = Vec::new();
        router.candidates(head.path.strip_prefix('/').unwrap_or(head.path), &mut candidates);
        let query: Vec<_> = uri::parameters(head.query).flatten().collect();
        let has_literal = |(name, value): &(&str, Option<&str>)| {
            query.iter().any(|(n, v)| n == name && value.is_none_or(|value| v == value))
        };
        let mut best: Option<((usize, bool, i32), &Operation)> = None;
        for operation in candidates.iter().map(|at| &self.operations[usize::from(*at)]) {
            if operation.method != head.method || !operation.uri.query.iter().all(has_literal) {
                continue;
            }
            let (asked, missing) = self.asked_outside_the_body(operation, head, &query);
            let complete = missing == 0;
            let rank = (operation.uri.query.len(), complete, if complete { asked } else { -missing });
            let better = best.is_none_or(|(found, known)| {
                // Of equals the newer: GetBucketLifecycleConfiguration came after GetBucketLifecycle.
                rank > found || (rank == found && operation.name.starts_with(known.name))
            });
            if better {
                best = Some((rank, operation));
            }
        }
        best.map(|(_, operation)| operation)
    }

    /// How many query parameters and headers an operation requires, and how many of them are missing.
    fn asked_outside_the_body(
        &self,
        operation: &Operation,
        head: &Head<'_>,
        query: &[(std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)],
    ) -> (i32, i32) {
        let structure = operation.input.and_then(|id| self.shape(id).structure());
        let (mut asked, mut missing) = (0, 0);
        for member in structure.iter().flat_map(|s| &s.members).filter(|member| member.required) {
            let there = match member.location {
                Location::Query => query.iter().any(|(name, _)| name == member.wire_name),
                Location::Header => head.headers.contains_key(member.wire_name),
                _ => continue,
            };
            asked += 1;
            missing += i32::from(!there);
        }
        (asked, missing)
    }
}
