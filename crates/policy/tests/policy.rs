//! What policies decide, seen from outside: documents, evaluation, its algebra, and an oracle.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "policy/algebra.rs"]
mod algebra;
#[path = "policy/documents.rs"]
mod documents;
#[path = "policy/evaluation.rs"]
mod evaluation;
#[path = "policy/oracle.rs"]
mod oracle;
