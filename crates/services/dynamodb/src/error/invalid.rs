/// The rules of requests, in AWS's words (its spelling included).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// Members of the wrong form.
    #[error("{} detected: {}", errors(.0.len()), .0.join("; "))]
    Constraints(Vec<String>),
    /// Both generations of parameters.
    #[error(
        "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {{{legacy}}} Expression parameters: {{{expressions}}}"
    )]
    Mixed {
        /// `Expected, …`
        legacy: String,
        /// `ConditionExpression, …`
        expressions: String,
    },
    /// Names for no expression.
    #[error("ExpressionAttributeNames can only be specified when using expressions")]
    NamesAlone,
    /// Values for no expression.
    #[error("ExpressionAttributeValues can only be specified when using expressions{0}")]
    ValuesAlone(String),
    /// A key with too few, too many or other attributes than the schema's.
    #[error("The provided key element does not match the schema")]
    KeySchema,
    /// An item without one of its keys.
    #[error("One or more parameter values were invalid: Missing the key {0} in the item")]
    MissingKey(String),
    /// A key of another type.
    #[error(
        "One or more parameter values were invalid: Type mismatch for key {name} expected: {expected} actual: {actual}"
    )]
    KeyType {
        /// The attribute.
        name: String,
        /// The schema's type.
        expected: &'static str,
        /// The item's type.
        actual: &'static str,
    },
    /// An index's key of another type.
    #[error(
        "One or more parameter values were invalid: Type mismatch for Index Key {name} Expected: {expected} Actual: {actual} IndexName: {index}"
    )]
    IndexKeyType {
        /// The attribute.
        name: String,
        /// The schema's type.
        expected: &'static str,
        /// The item's type.
        actual: &'static str,
        /// The index.
        index: String,
    },
    /// `""` as a key.
    #[error(
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty {kind} value. Key: {name}"
    )]
    EmptyKey {
        /// `string` or `binary`.
        kind: &'static str,
        /// The attribute.
        name: String,
    },
    /// `""` as an index's key.
    #[error(
        "One or more parameter values are not valid. A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty {kind} value. IndexName: {index}, IndexKey: {name}"
    )]
    EmptyIndexKey {
        /// `string` or `binary`.
        kind: &'static str,
        /// The attribute.
        name: String,
        /// The index.
        index: String,
    },
    /// An update that makes an index's key `""`.
    #[error(
        "One or more parameter values are not valid. The update expression attempted to update a secondary index key to a value that is not supported. The AttributeValue for a key attribute cannot contain an empty {0} value."
    )]
    EmptyUpdatedIndexKey(&'static str),
    /// A partition key over 2,048 bytes.
    #[error(
        "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes"
    )]
    PartitionKeySize,
    /// A sort key over 1,024 bytes.
    #[error(
        "One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of 1024 bytes"
    )]
    SortKeySize,
    /// An update of a key.
    #[error(
        "One or more parameter values were invalid: Cannot update attribute {0}. This attribute is part of the key"
    )]
    UpdatesKey(String),
    /// A path into a key.
    #[error(
        "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: {kind}: {name}"
    )]
    NestedKey {
        /// `Key` or `IndexKey`.
        kind: &'static str,
        /// The attribute.
        name: String,
    },
    /// An item over 400 KB.
    #[error("Item size has exceeded the maximum allowed size")]
    ItemSize,
    /// An update that makes an item too big.
    #[error("Item size to update has exceeded the maximum allowed size")]
    UpdatedItemSize,
    /// `UPDATED_NEW` of a put or delete.
    #[error("ReturnValues can only be ALL_OLD or NONE")]
    ReturnValues,
    /// No such index.
    #[error("The table does not have the specified index: {0}")]
    NoIndex(String),
    /// A read of an index that is still being filled.
    #[error("Cannot read from backfilling global secondary index: {0}")]
    IndexBuilding(String),
    /// A consistent read of a global index.
    #[error("Consistent reads are not supported on global secondary indexes")]
    ConsistentIndex,
    /// No key condition at all.
    #[error("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")]
    NoKeyCondition,
    /// More conditions than keys can be.
    #[error("Conditions can be of length 1 or 2 only")]
    KeyConditionCount,
    /// More conditions than the key has attributes.
    #[error(
        "The number of query conditions ({0}) exceeds the number of key attributes defined in the schema ({1})"
    )]
    KeyConditionsExceed(usize, usize),
    /// A condition on what the schema doesn't have.
    #[error("Query condition missed key schema element: {0}")]
    MissedKey(String),
    /// Attributes of a partition key of several that aren't asked for by `=`.
    #[error("HASH key attributes {0} must have equality conditions specified in the query")]
    PartitionNotEqual(String),
    /// Attributes of a sort key of several that aren't asked for by `=`, where a later one is asked for.
    #[error(
        "RANGE key attributes {0} must have equality conditions specified in the query because a condition is present on key attribute {1}"
    )]
    SortNotEqual(String, String),
    /// A partition key that isn't asked for by `=`, or two conditions where there is one key.
    #[error("Query key condition not supported")]
    KeyConditionNotSupported,
    /// A legacy condition that no key can answer.
    #[error("Attempted conditional constraint is not an indexable operation")]
    NotIndexable,
    /// A condition's value of another type than the key.
    #[error("One or more parameter values were invalid: Condition parameter type does not match schema type")]
    KeyConditionType,
    /// A filter on a key.
    #[error("{0} can only contain non-primary key attributes: Primary key attribute: {1}")]
    FilterOnKey(&'static str, String),
    /// A start key that is none.
    #[error("The provided starting key is invalid")]
    StartKey,
    /// A start key that is none, and why.
    #[error("The provided starting key is invalid: {0}")]
    StartKeyBecause(String),
    /// A start key of another partition, of a table without sort key.
    #[error("The provided exclusive start key is invalid")]
    StartKeyElsewhere,
    /// A start key of a query that has no second row.
    #[error("The query can return at most one row and cannot be restarted")]
    StartOfOneRow,
    /// A start key of another partition.
    #[error("The provided starting key is outside query boundaries based on provided conditions")]
    StartKeyOutside,
    /// A start key that the sort key's condition leaves out.
    #[error("The provided starting key does not match the range key predicate")]
    StartKeyPredicate,
    /// A start key of another segment.
    #[error(
        "The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct Segment. TotalSegments: {total} Segment: {segment}"
    )]
    StartKeySegment {
        /// Of how many.
        total: u32,
        /// Which.
        segment: u32,
    },
    /// `Segment` alone.
    #[error(
        "The TotalSegments parameter is required but was not present in the request when Segment parameter is present"
    )]
    NoTotalSegments,
    /// `TotalSegments` alone.
    #[error(
        "The Segment parameter is required but was not present in the request when parameter TotalSegments is present"
    )]
    NoSegment,
    /// A segment beyond the last.
    #[error("The Segment parameter is zero-based and must be less than parameter TotalSegments")]
    SegmentRange,
    /// `ALL_ATTRIBUTES` of a global index that hasn't them.
    #[error(
        "One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global secondary index {0} because its projection type is not ALL"
    )]
    AllOfIndex(String),
    /// A projection of a global index to what it doesn't hold.
    #[error(
        "One or more parameter values were invalid: Global secondary index {index} does not project [{attributes}]"
    )]
    NotProjected {
        /// The index.
        index: String,
        /// `a, b`
        attributes: String,
    },
    /// `SPECIFIC_ATTRIBUTES` of none.
    #[error(
        "1 validation error detected: Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES"
    )]
    NothingSpecific,
    /// A projection with another selection.
    #[error("1 validation error detected: Cannot specify the {projection} when choosing to get {select}")]
    ProjectionAndSelect {
        /// `ProjectionExpression` or `AttributesToGet`.
        projection: &'static str,
        /// The selection.
        select: &'static str,
    },
    /// `ALL_PROJECTED_ATTRIBUTES` of a table.
    #[error(
        "1 validation error detected: ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName"
    )]
    ProjectedOfTable,
    /// The same attribute twice.
    #[error("One or more parameter values were invalid: Duplicate value in attribute name: {0}")]
    DuplicateAttribute(String),
    /// The same key twice.
    #[error("Provided list of item keys contains duplicates")]
    DuplicateKeys,
    /// An empty batch.
    #[error("The requestItems parameter is required for {0}")]
    NoRequestItems(&'static str),
    /// More than a batch may get.
    #[error("Too many items requested for the BatchGetItem call")]
    TooManyGets,
    /// More than a batch may write.
    #[error("Too many items requested for the BatchWriteItem call")]
    TooManyWrites,
    /// A write request that neither puts nor deletes, or both.
    #[error(
        "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"
    )]
    WriteRequest,
    /// An action of a transaction that is none.
    #[error("Invalid Request: TransactWriteRequest should contain Delete or Put or Update request")]
    TransactNothing,
    /// An action of a transaction that is many.
    #[error("TransactItems can only contain one of Check, Put, Update or Delete")]
    TransactItem,
    /// Two actions on one item.
    #[error("Transaction request cannot include multiple operations on one item")]
    TransactTwice,
    /// Items of more than 4 MB together.
    #[error("Collection size of transaction payload cannot exceed 4194304 bytes")]
    TransactSize,
    /// `ConditionalOperator` without legacy conditions.
    #[error("ConditionalOperator cannot be used without Filter or Expected")]
    OperatorOfNone,
    /// `ConditionalOperator` of one legacy condition.
    #[error("ConditionalOperator can only be used when Filter or Expected has two or more elements")]
    OperatorOfOne,
    /// A `ConditionalOperator` that is none.
    #[error("Failed to satisfy constraint: Member must satisfy enum value set: [ALL, OR]")]
    Operator,
    /// An action of `AttributeUpdates` that is none.
    #[error("Member must satisfy enum value set: [ADD, DELETE, PUT]' for Action")]
    UpdateAction,
    /// A legacy parameter's rule.
    #[error("One or more parameter values were invalid: {0}")]
    Parameter(String),
    /// A legacy range the wrong way round.
    #[error(
        "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound"
    )]
    BetweenOrder,
    /// A required parameter is missing (an older wording, of tables only).
    #[error("The parameter '{0}' is required but was not present in the request")]
    Required(&'static str),
    /// Another rule of tables.
    #[error("{0}")]
    Table(String),
}

fn errors(count: usize) -> String {
    format!("{count} validation error{}", if count == 1 { "" } else { "s" })
}
