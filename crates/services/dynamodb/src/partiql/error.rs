use super::Span;
use crate::expression::ExpressionError;
use crate::number::NumberError;
use crate::value::ValueError;

/// What is wrong with a statement's form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// A character, a quoted text, a comment or a number that can't be read: AWS says no more.
    #[error("")]
    Unreadable,
    /// More text behind a whole statement.
    #[error("Unexpected token after expression")]
    Leftover,
    /// Nothing, or a bracket, where a term should stand.
    #[error("Unexpected term")]
    Term,
    /// A reserved word where a term should stand.
    #[error("Unexpected keyword")]
    Keyword,
    /// An operator where a term should stand.
    #[error("Unexpected operator")]
    Operator,
    /// `a = 1 AND` and no more.
    #[error("Missing right-hand side expression of infix operator")]
    RightHandSide,
    /// `a IS` and no type.
    #[error("Expected type name")]
    TypeName,
    /// No table's or attribute's name where one is written to.
    #[error("Expected identifier for simple path")]
    SimplePath,
    /// No statement, or an update that changes nothing.
    #[error("Expected data manipulation")]
    Manipulation,
    /// A reserved word, or no name, behind a dot.
    #[error("Invalid path dot component")]
    DotComponent,
}

/// Why a statement is refused, in AWS's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// It can't be read.
    #[error("Statement wasn't well formed, can't be processed: {0}")]
    Malformed(Malformed),
    /// Too few or too many parameters for its `?`s.
    #[error("Number of parameters in request and statement don't match.")]
    ParameterCount,
    /// `FROM table t`
    #[error("Aliasing is not supported")]
    Aliasing,
    /// `""` as a name.
    #[error("Path component cannot be an empty string")]
    EmptyPathComponent,
    /// `FROM a.b.c`
    #[error("A path may contain at most 2 components in the FROM clause")]
    SourceTooLong,
    /// `INSERT INTO table.index`
    #[error("FROM clause may only contain a single table name in data manipulation statements at {0}")]
    InsertIntoIndex(Span),
    /// `UPDATE table.index`
    #[error("This operation is not supported on an index")]
    WriteToIndex,
    /// `INSERT INTO table VALUES …`
    #[error(
        "Unsupported operation: Inserting multiple items in a single statement is not supported, use \"INSERT INTO tableName VALUE item\" instead"
    )]
    InsertMany,
    /// `INSERT INTO table VALUE 'text'`
    #[error("Unsupported data type: only a tuple can be inserted")]
    InsertNoTuple,
    /// `LIMIT`, `GROUP BY` and what else SQL has.
    #[error("Unsupported clause: {clause} at {at}")]
    UnsupportedClause {
        /// The clause's first word.
        clause: String,
        /// Where it stands.
        at: Span,
    },
    /// What is no path among the columns.
    #[error("Unexpected path component at {0}")]
    ColumnNoPath(Span),
    /// No function of DynamoDB's, or none for here.
    #[error("Unrecognized function: {name} at {at}")]
    UnknownFunction {
        /// The function, in small letters.
        name: String,
        /// Where it stands.
        at: Span,
    },
    /// `a[-1]`
    #[error("List index is not within the allowable range; index: [{index}] at {at}")]
    IndexRange {
        /// The index, as it is written.
        index: String,
        /// Where it stands.
        at: Span,
    },
    /// Arithmetic and the like in a condition.
    #[error("Unsupported operator in Condition Expression. Operator: {0}")]
    ConditionOperator(&'static str),
    /// A condition where a value is set.
    #[error("Unsupported operator in Update Expression. Operator: {0}")]
    UpdateOperator(&'static str),
    /// A value where a condition should stand.
    #[error("WHERE clause must contain conditions")]
    NoCondition,
    /// `attribute_type(a, 'X')`
    #[error("Invalid attribute type name found; type: {0}, valid types: {{N,BS,L,B,NULL,M,S,SS,NS,BOOL}}")]
    UnknownType(String),
    /// `<<>>`
    #[error("Empty bags are not supported")]
    EmptyBag,
    /// `<<1, 'a'>>`
    #[error("Unsupported data type in Bag. DynamoDB only supports either numbers or strings in bags")]
    MixedBag,
    /// `<<1, 1.0>>`
    #[error(
        "One or more parameter values were invalid: Input collection {0} contains duplicates! under root"
    )]
    DuplicateNumbers(String),
    /// A number out of bounds, and where in the value it stands.
    #[error("{error} under {place}")]
    Number {
        /// What is wrong with it.
        error: NumberError,
        /// `root.a[1]`
        place: String,
    },
    /// A path or a function where a value should stand.
    #[error("Unsupported data type: {name} under key {place} at {at}")]
    NoValue {
        /// The path's attribute, or the function.
        name: String,
        /// `root.a[1]`
        place: String,
        /// Where it stands.
        at: Span,
    },
    /// `MISSING` where a value should stand.
    #[error("Unsupported data type: MISSING under key {0}")]
    MissingValue(String),
    /// `SET a = set_add(b, …)`
    #[error("The first argument to {function} must equal the assignment value at {at}")]
    SetTarget {
        /// `SET_ADD` or `SET_DELETE`.
        function: &'static str,
        /// Where it stands.
        at: Span,
    },
    /// `set_add(a, 'text')`
    #[error("The second argument to {function} must be a value with type SET at {at}")]
    SetMember {
        /// `SET_ADD` or `SET_DELETE`.
        function: &'static str,
        /// Where its first argument stands.
        at: Span,
    },
    /// `set_add(a)`
    #[error("{function} must have exactly two arguments at {at}")]
    SetArguments {
        /// `SET_ADD` or `SET_DELETE`.
        function: &'static str,
        /// Where it stands.
        at: Span,
    },
    /// A deletion that would return something new.
    #[error("Invalid returning clause: {0}. Only RETURNING ALL OLD * is allowed in DELETE statements.")]
    DeleteReturning(&'static str),
    /// A write that doesn't name one item.
    #[error("Where clause does not contain a mandatory equality on all key attributes")]
    NoWholeKey,
    /// A key held against what no key is.
    #[error("Key value must be of type S, N, or B. Key name: {name}, Key type: {given}")]
    KeyNoScalar {
        /// The attribute.
        name: String,
        /// The value's type.
        given: &'static str,
    },
    /// A key held against another type than its own.
    #[error("Key attribute's data type should match its data type in table's schema: Key {0}")]
    KeyType(String),
    /// Two branches of an `OR` that may find the same item.
    #[error("Overlapping conditions with range keys are not supported in where clause")]
    Overlap,
    /// `ORDER BY` without `WHERE`.
    #[error("Must have WHERE clause in the statement when using ORDER BY clause.")]
    OrderWithoutWhere,
    /// `ORDER BY` of what is no key.
    #[error("Attribute {0} in ORDER BY clause must be part of the primary key")]
    OrderByNoKey(String),
    /// `ORDER BY` of a whole table.
    #[error(
        "Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause."
    )]
    OrderWithoutPartition,
    /// `ORDER BY` a sort key over many partitions.
    #[error(
        "Must have hash key in ORDER BY clause when more than one hash key condition specified in WHERE clause."
    )]
    OrderOfPartitions,
    /// No such index.
    #[error("The table does not have the specified index")]
    NoIndex,
    /// A read of a global index whose key has several attributes of a kind.
    #[error(
        "PartiQL statements cannot be executed on tables with multi-attribute HASH keys or multi-attribute RANGE keys."
    )]
    ManyKeys,
    /// A consistent read of a global index.
    #[error("Strongly consistent read is not supported on Global Secondary Indexes")]
    ConsistentIndex,
    /// A condition on what the index that is read doesn't hold.
    #[error(
        "One or more parameter values were invalid: Secondary index {index} does not project one or more filter attributes: [{attributes}]"
    )]
    NotProjected {
        /// The index.
        index: String,
        /// `a, b`
        attributes: String,
    },
    /// A read of many items where one is wanted.
    #[error("Select statements within {0} must specify the primary key in the where clause.")]
    SelectNoKey(&'static str),
    /// `EXISTS(…)` outside a transaction.
    #[error("EXISTS can only be used in ExecuteTransaction write requests.")]
    ExistsElsewhere,
    /// `EXISTS(…)` of what may be many items, or of an item without a condition.
    #[error("EXISTS() must contain a single item read with additional condition")]
    ExistsShape,
    /// `RETURNING` in a transaction.
    #[error("RETURNING clause is not supported in ExecuteTransaction.")]
    ReturningInTransaction,
    /// A read of an index in a transaction.
    #[error("Reads on indices are not supported within transactions.")]
    IndexInTransaction,
    /// Reads and writes in one transaction.
    #[error("ExecuteTransaction API does not support both read and write operations in the same request.")]
    MixedTransaction,
    /// Reads and writes in one batch.
    #[error("Read and write requests together in the same batch is not supported.")]
    MixedBatch,
    /// Text that is no token of ours.
    #[error("Invalid NextToken")]
    NextToken,
    /// Another request's token.
    #[error("NextToken does not match request")]
    NextTokenOfAnother,
    /// A rule that expressions have too.
    #[error(transparent)]
    Expression(#[from] ExpressionError),
    /// A value that breaks a rule.
    #[error(transparent)]
    Value(#[from] ValueError),
}

impl From<Malformed> for StatementError {
    fn from(error: Malformed) -> Self {
        Self::Malformed(error)
    }
}
