//! IAM policy documents: parsed, validated and evaluated. Pure: no clock, no store, no IO.
//!
//! A document is read once by [`Policy::parse`] and shared by `Arc`; a call is then judged by
//! [`evaluate`], which holds a [`Request`] against the [`EvaluationSet`] of every policy that has a
//! say and answers a [`Decision`] with the statement or the missing layer that decided.
//!
//! Source: the IAM User Guide, "IAM JSON policy reference" and "Policy evaluation logic".

mod condition;
mod context;
mod decision;
mod document;
mod evaluate;
mod fault;
mod node;
mod pattern;
mod principal;
mod request;

pub use context::Context;
pub use decision::{Decision, Layer, StatementRef};
pub use document::{Effect, Policy, PolicyKind};
pub use evaluate::{EvaluationSet, ResourceSide, evaluate};
pub use fault::PolicyFault;
pub use principal::{PrincipalKind, PrincipalView};
pub use request::Request;
