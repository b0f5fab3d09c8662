#![doc = include_str!("../README.md")]

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
