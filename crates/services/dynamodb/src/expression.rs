//! Expressions: key conditions, conditions and filters, updates, projections (Developer Guide, "Using expressions
//! in DynamoDB"). Each is read in three steps: tokens, a tree of what was written, and, once all that AWS refuses
//! has been refused in its order and words, a tree of what is meant with names and values in place.

mod charge;
mod condition;
mod error;
mod evaluate;
mod key_condition;
mod lexer;
mod path;
mod placeholders;
mod projection;
mod reserved;
mod syntax;
mod update;

pub use condition::{Comparator, Condition, Operand};
pub(crate) use condition::{check_bounds, check_distinct};
pub use error::{ExpressionError, ExpressionKind, InvalidExpression, KeyConditionError};
pub use evaluate::UpdateError;
pub use key_condition::{KeyCondition, KeyPredicate, key_conditions};
pub use path::{Path, Step};
pub use placeholders::{PlaceholderError, Placeholders};
pub use projection::Projection;
pub use update::{SetValue, Update};

/// The longest expression, in bytes.
pub const MAX_EXPRESSION_LENGTH: usize = 4096;
/// The most operators and functions in an expression.
pub const MAX_OPERATORS: usize = 300;
/// The most operands of an `IN`.
pub const MAX_IN_OPERANDS: usize = 100;
