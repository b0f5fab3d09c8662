use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::value::AttributeValue;

/// Which of a request's expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpressionKind {
    /// `ConditionExpression`
    Condition,
    /// `FilterExpression`
    Filter,
    /// `KeyConditionExpression`
    KeyCondition,
    /// `ProjectionExpression`
    Projection,
    /// `UpdateExpression`
    Update,
}

impl ExpressionKind {
    /// The request's member.
    pub fn name(self) -> &'static str {
        match self {
            Self::Condition => "ConditionExpression",
            Self::Filter => "FilterExpression",
            Self::KeyCondition => "KeyConditionExpression",
            Self::Projection => "ProjectionExpression",
            Self::Update => "UpdateExpression",
        }
    }
}

/// An expression that AWS refuses, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Invalid {}: {error}", kind.name())]
pub struct InvalidExpression {
    /// Which expression.
    pub kind: ExpressionKind,
    /// Why.
    pub error: ExpressionError,
}

impl InvalidExpression {
    /// What some operations say today; [`Display`](std::fmt::Display) gives the older words, which the others still use.
    pub fn in_newer_words(&self) -> String {
        self.clone().without_size().to_string()
    }

    pub(super) fn without_size(self) -> Self {
        match self.error {
            ExpressionError::TooLong(_) => Self { error: ExpressionError::TooLongUntold, ..self },
            _ => self,
        }
    }
}

/// Why an expression is refused, in AWS's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpressionError {
    /// No text.
    #[error("The expression can not be empty;")]
    Empty,
    /// Beyond [`super::MAX_EXPRESSION_LENGTH`].
    #[error("Expression size has exceeded the maximum allowed size; expression size: {0}")]
    TooLong(usize),
    /// The same, where its size is not told.
    #[error("Expression size has exceeded the maximum allowed size;")]
    TooLongUntold,
    /// A token that can't stand where it stands.
    #[error("Syntax error; token: \"{token}\", near: \"{near}\"")]
    Syntax {
        /// The token, or `<EOF>`.
        token: String,
        /// The text from the token before to the one behind.
        near: String,
    },
    /// Beyond [`super::MAX_OPERATORS`].
    #[error("The expression contains too many operators; operator count: {0}")]
    TooManyOperators(usize),
    /// Names and values that come to more than two megabytes where they are used.
    #[error("The expression's substitution variables exceed the maximum allowed size; size: {0}")]
    Substituted(usize),
    /// Parentheses around parentheses.
    #[error("The expression has redundant parentheses;")]
    RedundantParentheses,
    /// No function of DynamoDB's.
    #[error("Invalid function name; function: {0}")]
    UnknownFunction(String),
    /// A function of the other kind of expressions.
    #[error("The function is not allowed in {0} expression; function: {1}")]
    NotAllowedHere(&'static str, String),
    /// A truth where a value is wanted, or the other way round.
    #[error("The function is not allowed to be used this way in an expression; function: {0}")]
    Misused(String),
    /// A reserved word as an attribute's name.
    #[error("Attribute name is a reserved keyword; reserved keyword: {0}")]
    Reserved(String),
    /// `#name` without an entry.
    #[error("An expression attribute name used in the document path is not defined; attribute name: {0}")]
    UndefinedName(String),
    /// `:value` without an entry.
    #[error("An expression attribute value used in expression is not defined; attribute value: {0}")]
    UndefinedValue(String),
    /// `f(a, b)` where f takes one.
    #[error(
        "Incorrect number of operands for operator or function; operator or function: {name}, number of operands: {count}"
    )]
    OperandCount {
        /// The function.
        name: String,
        /// How many it was given.
        count: usize,
    },
    /// More than [`super::MAX_IN_OPERANDS`].
    #[error("The IN operator is provided with too many operands; number of operands: {0}")]
    TooManyInOperands(usize),
    /// `a = a`
    #[error(
        "The first operand must be distinct from the remaining operands for this operator or function; operator: {operator}, first operand: {operand}"
    )]
    NotDistinct {
        /// The operator or function.
        operator: String,
        /// The operand, as a path is shown.
        operand: String,
    },
    /// `attribute_exists(:v)`
    #[error("Operator or function requires a document path; operator or function: {0}")]
    NeedsPath(String),
    /// A value of a type that the function doesn't take, or the comparator doesn't order.
    #[error(
        "Incorrect operand type for operator or function; operator or function: {name}, operand type: {given}"
    )]
    OperandType {
        /// The function, the comparator, or `+` and `-`.
        name: String,
        /// The type.
        given: String,
    },
    /// A value of a type that can't be added or deleted.
    #[error(
        "Incorrect operand type for operator or function; operator: {operator}, operand type: {given}, typeSet: ALLOWED_FOR_{operator}_OPERAND"
    )]
    ActionType {
        /// `ADD` or `DELETE`.
        operator: &'static str,
        /// The type, by its long name.
        given: &'static str,
    },
    /// `attribute_type(a, :t)` with no type's name.
    #[error("Invalid attribute type name found; type: {0}, valid types: {{B,NULL,SS,BOOL,L,BS,N,NS,S,M}}")]
    UnknownType(String),
    /// Bounds of two types.
    #[error(
        "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: {lower}, upper bound operand: AttributeValue: {upper}"
    )]
    BoundTypes {
        /// The lower bound.
        lower: String,
        /// The upper bound.
        upper: String,
    },
    /// Bounds the wrong way round.
    #[error(
        "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {lower}, upper bound operand: AttributeValue: {upper}"
    )]
    BoundOrder {
        /// The lower bound.
        lower: String,
        /// The upper bound.
        upper: String,
    },
    /// `SET … SET …`
    #[error("The \"{0}\" section can only be used once in an update expression;")]
    SectionTwice(&'static str),
    /// `a.b` and `a`
    #[error(
        "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: {0}, path two: {1}"
    )]
    Overlap(String, String),
    /// `a.b` and `a[0]`
    #[error(
        "Two document paths conflict with each other; must remove or rewrite one of these paths; path one: {0}, path two: {1}"
    )]
    Conflict(String, String),
    /// More than [`crate::value::MAX_DEPTH`] steps.
    #[error("The document path has too many nesting elements; nesting elements: {0}")]
    PathTooDeep(usize),
    /// `a[99999999999]`
    #[error("List index is not within the allowable range; index: [{0}]")]
    IndexRange(String),
}

/// Why a condition is no key condition, in AWS's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyConditionError {
    /// `OR`, `NOT`, `IN`, `<>` or a function that no key can answer.
    #[error("Invalid operator used in KeyConditionExpression: {0}")]
    Operator(String),
    /// `size(…)`
    #[error("KeyConditionExpressions cannot contain nested operations")]
    Nested,
    /// `a.b = :v`
    #[error("KeyConditionExpressions cannot have conditions on nested attributes")]
    NestedAttribute,
    /// A key as a bound, or as a prefix.
    #[error(
        "Invalid condition in KeyConditionExpression: {0} operator must have the key attribute as its first operand"
    )]
    KeyNotFirst(&'static str),
    /// `a = b`
    #[error("Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition")]
    ManyAttributes,
    /// `:v = :w`
    #[error("Invalid condition in KeyConditionExpression: No key attribute specified")]
    NoAttribute,
    /// Two conditions on one key.
    #[error(
        "Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition per key"
    )]
    Twice,
}

/// A value as messages show it: `{S:abc}`; at most its first 256 characters.
pub(super) fn shown(value: &AttributeValue) -> String {
    let kind = value.value_type();
    let text = match value {
        AttributeValue::S(text) => format!("{kind}:{text}"),
        AttributeValue::N(number) => format!("{kind}:{number}"),
        AttributeValue::B(bytes) => format!("{kind}:{}", STANDARD.encode(bytes)),
        _ => kind.to_string(),
    };
    format!("{{{}}}", text.chars().take(256).collect::<String>())
}
