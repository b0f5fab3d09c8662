//! PartiQL (Developer Guide, "PartiQL - a SQL-compatible query language for Amazon DynamoDB"). A statement is read in
//! three steps: tokens, a tree of what was written ([`Statement`], which can be printed and read again), and, with the
//! parameters in place, a plan in the terms of expressions. What a plan's `WHERE` reaches depends on the table's key.

mod condition;
mod display;
mod error;
mod keywords;
mod lexer;
mod parser;
mod plan;
mod reach;
mod syntax;
mod update;
mod value;

pub use error::StatementError;
pub use lexer::Span;
pub use parser::{Parsed, parse};
pub(crate) use plan::{Insertion, Plan, Selection, Writing, prepare};
pub(crate) use reach::{Branch, branches, check_type, equalities, whole_key};
pub use syntax::{
    Arithmetic, Change, Delete, Expression, Insert, Order, OrderTerm, Returning, Select, Source, Statement,
    TypeTest, Update,
};

/// The longest statement, in characters.
pub const MAX_STATEMENT_LENGTH: usize = 8192;
/// How deep parentheses and collections nest in a statement; collections alone nest as deep as values do.
pub const MAX_NESTING: usize = 64;
/// The most values of a partition key in one `WHERE` (Developer Guide, "PartiQL operators").
pub const MAX_PARTITIONS: usize = 50;
