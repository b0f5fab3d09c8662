//! Statements as they are written.

use super::Span;
use crate::expression::{Comparator, Path};

/// A statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statement {
    /// `SELECT … FROM …`
    Select(Select),
    /// `EXISTS(SELECT … FROM …)`
    Exists(Select),
    /// `INSERT INTO … VALUE …`
    Insert(Insert),
    /// `UPDATE … SET …`
    Update(Update),
    /// `DELETE FROM …`
    Delete(Delete),
}

/// `"table"` or `"table"."index"`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The table's name or ARN.
    pub table: String,
    /// The index's name.
    pub index: Option<String>,
}

/// `SELECT columns FROM source WHERE condition ORDER BY order`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Select {
    /// None for `*`.
    pub columns: Option<Vec<Path>>,
    /// What is read.
    pub source: Source,
    /// `WHERE`
    pub condition: Option<Expression>,
    /// `ORDER BY`
    pub order: Vec<OrderTerm>,
}

/// `attribute DESC`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderTerm {
    /// The attribute.
    pub attribute: String,
    /// Ascending where nothing is said.
    pub order: Order,
}

/// `ASC` or `DESC`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// From the least.
    Ascending,
    /// From the greatest.
    Descending,
}

/// `INSERT INTO table VALUE value`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Insert {
    /// The table's name or ARN.
    pub table: String,
    /// A tuple, or a parameter that is a map.
    pub value: Expression,
}

/// `UPDATE source changes WHERE condition RETURNING returning`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// What is written.
    pub source: Source,
    /// One or more.
    pub changes: Vec<Change>,
    /// `WHERE`
    pub condition: Option<Expression>,
    /// `RETURNING`
    pub returning: Option<Returning>,
    /// Whether it is written as `FROM source WHERE condition changes`.
    pub from_first: bool,
}

/// What is done to an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// `SET path = value`
    Set(Path, Expression),
    /// `REMOVE path`
    Remove(Path),
}

/// `DELETE FROM source WHERE condition RETURNING returning`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delete {
    /// What is written.
    pub source: Source,
    /// `WHERE`
    pub condition: Option<Expression>,
    /// `RETURNING`
    pub returning: Option<Returning>,
}

/// What a write returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returning {
    /// The item as it was.
    AllOld,
    /// The item as it is.
    AllNew,
    /// What was changed as it was.
    ModifiedOld,
    /// What was changed as it is.
    ModifiedNew,
}

impl Returning {
    /// As it is written.
    pub fn text(self) -> &'static str {
        match self {
            Self::AllOld => "RETURNING ALL OLD *",
            Self::AllNew => "RETURNING ALL NEW *",
            Self::ModifiedOld => "RETURNING MODIFIED OLD *",
            Self::ModifiedNew => "RETURNING MODIFIED NEW *",
        }
    }
}

/// A value or a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// `'text'`
    Text(String),
    /// A number as it is written, a minus in front included.
    Number(String),
    /// `TRUE` or `FALSE`
    Bool(bool),
    /// `NULL`
    Null,
    /// `MISSING`
    Missing,
    /// `?`, the how-manieth of the statement, from 0.
    Parameter(usize),
    /// `[a, b]`
    List(Vec<Expression>),
    /// `<<a, b>>`
    Bag(Vec<Expression>),
    /// `{'name': a}`
    Tuple(Vec<(String, Expression)>),
    /// `a.b[0]`, and where its first part stands.
    Path(Path, Span),
    /// `function(a, b)`
    Call {
        /// In small letters.
        name: String,
        /// Any number.
        arguments: Vec<Expression>,
        /// Where the name stands.
        at: Span,
    },
    /// `a + b` or `a - b`
    Arithmetic(Arithmetic, Box<[Expression; 2]>),
    /// `a = b` and the like.
    Compare(Comparator, Box<[Expression; 2]>),
    /// `a BETWEEN b AND c`
    Between(Box<[Expression; 3]>),
    /// `a IN [b, c]`
    In(Box<Expression>, Vec<Expression>),
    /// `a IS type`
    Is(Box<Expression>, TypeTest),
    /// `a AND b AND c`: two or more.
    And(Vec<Expression>),
    /// `a OR b OR c`: two or more.
    Or(Vec<Expression>),
    /// `NOT a`
    Not(Box<Expression>),
}

/// `+` or `-`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arithmetic {
    /// A sum.
    Plus,
    /// A difference.
    Minus,
}

impl Arithmetic {
    /// As it is written.
    pub fn text(self) -> &'static str {
        match self {
            Self::Plus => "+",
            Self::Minus => "-",
        }
    }
}

/// What `IS` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypeTest {
    /// No value at all.
    Missing,
    /// Null.
    Null,
    /// A truth value.
    Bool,
    /// A number.
    Decimal,
    /// A string.
    String,
    /// Bytes.
    Blob,
    /// A list.
    List,
    /// A map.
    Struct,
    /// A set.
    Bag,
}

impl TypeTest {
    /// As it is written.
    pub fn text(self) -> &'static str {
        match self {
            Self::Missing => "MISSING",
            Self::Null => "NULL",
            Self::Bool => "BOOL",
            Self::Decimal => "DECIMAL",
            Self::String => "STRING",
            Self::Blob => "BLOB",
            Self::List => "LIST",
            Self::Struct => "STRUCT",
            Self::Bag => "BAG",
        }
    }

    /// The test that this word, or any other name of its type, asks for.
    pub(super) fn parse(word: &str) -> Option<Self> {
        Some(match word.to_ascii_lowercase().as_str() {
            "missing" => Self::Missing,
            "null" => Self::Null,
            "bool" | "boolean" => Self::Bool,
            "decimal" | "dec" | "numeric" | "int" | "integer" | "int2" | "int4" | "int8" | "integer2"
            | "integer4" | "integer8" | "bigint" | "smallint" | "float" | "real" | "double" => Self::Decimal,
            "string" | "symbol" | "varchar" | "char" | "character" => Self::String,
            "blob" => Self::Blob,
            "list" => Self::List,
            "struct" | "tuple" => Self::Struct,
            "bag" => Self::Bag,
            _ => return None,
        })
    }
}
