//! What DynamoDB answers when it does not do what it was asked.

mod invalid;

use homeport_core::Fault;
use homeport_store::StoreError;

use crate::expression::{InvalidExpression, KeyConditionError, PlaceholderError, UpdateError};
use crate::metering::Throttled;
use crate::number::NumberError;
use crate::partiql::StatementError;
use crate::value::{Corrupt, ValueError};

pub use invalid::Invalid;

/// The service's errors.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DynamoError {
    /// The request breaks a rule.
    #[error("{0}")]
    Validation(String),
    /// A value that is none.
    #[error("{0}")]
    Value(ValueError),
    /// A value of `ExpressionAttributeValues` that is none.
    #[error("{0}")]
    Placeholder(PlaceholderError),
    /// An expression that is none.
    #[error("{0}")]
    Expression(InvalidExpression),
    /// No such table, said of an operation on items.
    #[error("Requested resource not found")]
    NoTable,
    /// No such table, said of an operation on tables.
    #[error("Requested resource not found: Table: {0} not found")]
    NoTableNamed(String),
    /// No such resource, said of an operation on tags.
    #[error("Requested resource not found: ResourceArn: {0} not found")]
    NoResource(String),
    /// A table of that name is there already.
    #[error("Table already exists: {0}")]
    TableExists(String),
    /// Too many tables, or tables in the making.
    #[error("{0}")]
    LimitExceeded(String),
    /// The table, or one of its indexes, is being made or changed.
    #[error("Attempt to change a resource which is still in use: {0}")]
    InUse(String),
    /// No such table, said of backups.
    #[error("Table not found: {0}")]
    NoTableToKeep(String),
    /// A restored table would have another's name.
    #[error("Table already exists: {0}")]
    TableInTheWay(String),
    /// No such backup.
    #[error("Backup not found: {0}")]
    NoBackup(String),
    /// The backup is being made, or restored from.
    #[error("Backup is being used by another operation: {0}")]
    BackupInUse(String),
    /// The table has no point-in-time recovery.
    #[error("Point in time recovery is not enabled for table '{0}'")]
    NoRecovery(String),
    /// A moment that recovery doesn't reach.
    #[error("{0}")]
    RestoreTime(String),
    /// A moment that an export can't be of.
    #[error("{0}")]
    ExportTime(String),
    /// The token of another export.
    #[error("Duplicate request detected with conflicting parameters")]
    ExportConflict,
    /// The token of another import.
    #[error("Duplicate request detected with conflicting parameters")]
    ImportConflict,
    /// No such export.
    #[error("The specified export was not found.")]
    NoExport,
    /// No such import.
    #[error("The specified import was not found.")]
    NoImport,
    /// A resource without a policy, or with another revision of it than the expected one.
    #[error("Resource-based policy not found for the provided ResourceArn: {0}")]
    NoPolicy(String),
    /// No such stream or shard.
    #[error("Requested resource not found: {0}")]
    NoStream(String),
    /// No such index, said of a change of indexes.
    #[error("Requested resource not found")]
    NoIndexToChange,
    /// A sequence number before the oldest record.
    #[error("The operation attempted to read past the oldest stream record in a shard.")]
    Trimmed,
    /// A shard iterator that was handed out too long ago.
    #[error("Iterator expired. The iterator was created more than 15 minutes ago.")]
    IteratorExpired,
    /// The condition does not hold.
    #[error("The conditional request failed")]
    ConditionFailed {
        /// The item that it was asked of, as JSON, where the caller wants to see it.
        item: Option<String>,
    },
    /// More was asked for than the table, or one of its global indexes, serves.
    #[error("{0}")]
    Throttled(#[from] Throttled),
    /// An `INSERT` of an item that is there.
    #[error("Duplicate primary key exists in table")]
    DuplicateItem,
    /// A transaction was given up; a reason per action.
    #[error("Transaction cancelled, please refer cancellation reasons for specific reasons [{}]", codes(.0))]
    TransactionCanceled(Vec<CancellationReason>),
    /// The same token with another request.
    #[error(
        "The provided client token was used with a different request; please use a new client token for this request."
    )]
    TokenReused,
    /// The item is written by others again and again.
    #[error("Transaction is ongoing for the item")]
    Conflict,
    /// The caller may not do what one statement of several asks for.
    #[error("{0}")]
    Denied(String),
    /// Already a fault, of the pipeline's.
    #[error("{0}")]
    Fault(Fault),
    /// A stored item can't be read.
    #[error("{0}")]
    Corrupt(#[from] Corrupt),
    /// The store failed.
    #[error("{0}")]
    Store(StoreError),
}

/// Why one action of a transaction was given up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CancellationReason {
    /// `None`, `ConditionalCheckFailed`, `ValidationError`, …
    pub code: &'static str,
    /// In words; none for an action that would have gone through.
    pub message: Option<String>,
    /// The item, as JSON, where the caller wants to see it.
    pub item: Option<String>,
}

fn codes(reasons: &[CancellationReason]) -> String {
    let codes: Vec<&str> = reasons.iter().map(|reason| reason.code).collect();
    codes.join(", ")
}

impl DynamoError {
    /// The fault, with what is wrong with a value in the words of operations that read values anew: bare.
    pub(crate) fn of_reading(self) -> Fault {
        match self {
            Self::Value(error) | Self::Placeholder(PlaceholderError::Value { error, .. }) => {
                Self::Validation(error.in_newer_words()).into()
            }
            Self::Expression(error) => Self::Validation(error.in_newer_words()).into(),
            error => error.into(),
        }
    }

    /// The fault, as operations that write one item tell what is wrong with a request before they look at its table:
    /// counted, also where only one thing is told.
    pub(crate) fn of_writing(self) -> Fault {
        let said = match self {
            Self::Value(error) | Self::Placeholder(PlaceholderError::Value { error, .. }) => {
                error.in_newer_words()
            }
            Self::Expression(error) => error.in_newer_words(),
            Self::Validation(said) if said.contains("detected: ") => return Self::Validation(said).into(),
            Self::Validation(said) => said,
            error => return error.into(),
        };
        Self::Validation(format!("1 validation error detected: {said}")).into()
    }

    /// Whether it is the request that breaks a rule.
    pub(crate) fn is_invalid(&self) -> bool {
        matches!(self, Self::Validation(_) | Self::Value(_) | Self::Placeholder(_) | Self::Expression(_))
    }

    /// The error of a transaction of so many actions: one that others keep from being done is cancelled, and whose item
    /// it was isn't known.
    pub(crate) fn of_transaction(self, actions: usize) -> Self {
        match self {
            Self::Conflict => {
                let message = Some(Self::Conflict.to_string());
                let reason = CancellationReason { code: "TransactionConflict", message, item: None };
                Self::TransactionCanceled(vec![reason; actions])
            }
            other => other,
        }
    }

    /// A request that breaks a rule of which [`Self::of_writing`] tells without counting it.
    pub(crate) fn uncounted(said: &str) -> Self {
        Self::Fault(Self::invalid(said).into())
    }

    /// A request that breaks a rule.
    pub(crate) fn invalid(error: impl ToString) -> Self {
        Self::Validation(error.to_string())
    }
}

impl From<StoreError> for DynamoError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict => Self::Conflict,
            error => Self::Store(error),
        }
    }
}

impl From<ValueError> for DynamoError {
    fn from(error: ValueError) -> Self {
        Self::Value(error)
    }
}

impl From<NumberError> for DynamoError {
    fn from(error: NumberError) -> Self {
        Self::invalid(error)
    }
}

impl From<InvalidExpression> for DynamoError {
    fn from(error: InvalidExpression) -> Self {
        Self::Expression(error)
    }
}

impl From<KeyConditionError> for DynamoError {
    fn from(error: KeyConditionError) -> Self {
        Self::invalid(error)
    }
}

impl From<PlaceholderError> for DynamoError {
    fn from(error: PlaceholderError) -> Self {
        match error {
            PlaceholderError::Value { .. } => Self::Placeholder(error),
            error => Self::invalid(error),
        }
    }
}

impl From<UpdateError> for DynamoError {
    fn from(error: UpdateError) -> Self {
        Self::invalid(error)
    }
}

impl From<Invalid> for DynamoError {
    fn from(error: Invalid) -> Self {
        Self::invalid(error)
    }
}

impl From<StatementError> for DynamoError {
    fn from(error: StatementError) -> Self {
        Self::invalid(error)
    }
}

impl From<DynamoError> for Fault {
    fn from(error: DynamoError) -> Self {
        let message = error.to_string();
        match error {
            DynamoError::Validation(_)
            | DynamoError::Value(_)
            | DynamoError::Placeholder(_)
            | DynamoError::Expression(_) => Self::sender("ValidationException", message),
            DynamoError::NoTable
            | DynamoError::NoTableNamed(_)
            | DynamoError::NoResource(_)
            | DynamoError::NoStream(_)
            | DynamoError::NoIndexToChange => Self::sender("ResourceNotFoundException", message),
            DynamoError::TableExists(_) | DynamoError::InUse(_) => {
                Self::sender("ResourceInUseException", message)
            }
            DynamoError::NoTableToKeep(_) => Self::sender("TableNotFoundException", message),
            DynamoError::TableInTheWay(_) => Self::sender("TableAlreadyExistsException", message),
            DynamoError::NoBackup(_) => Self::sender("BackupNotFoundException", message),
            DynamoError::BackupInUse(_) => Self::sender("BackupInUseException", message),
            DynamoError::NoRecovery(_) => Self::sender("PointInTimeRecoveryUnavailableException", message),
            DynamoError::RestoreTime(_) => Self::sender("InvalidRestoreTimeException", message),
            DynamoError::ExportTime(_) => Self::sender("InvalidExportTimeException", message),
            DynamoError::ExportConflict => Self::sender("ExportConflictException", message),
            DynamoError::ImportConflict => Self::sender("ImportConflictException", message),
            DynamoError::NoExport => Self::sender("ExportNotFoundException", message),
            DynamoError::NoImport => Self::sender("ImportNotFoundException", message),
            DynamoError::NoPolicy(_) => Self::sender("PolicyNotFoundException", message),
            DynamoError::Trimmed => Self::sender("TrimmedDataAccessException", message),
            DynamoError::IteratorExpired => Self::sender("ExpiredIteratorException", message),
            DynamoError::LimitExceeded(_) => Self::sender("LimitExceededException", message),
            DynamoError::ConditionFailed { item } => {
                let fault = Self::sender("ConditionalCheckFailedException", message);
                match item {
                    Some(item) => fault.with_member("Item", item),
                    None => fault,
                }
            }
            DynamoError::Throttled(throttled) => Self::sender(throttled.exception(), message)
                .with_member("ThrottlingReasons", throttled.reasons()),
            DynamoError::DuplicateItem => Self::sender("DuplicateItemException", message),
            DynamoError::TransactionCanceled(reasons) => {
                Self::sender("TransactionCanceledException", message)
                    .with_member("CancellationReasons", reasons_json(&reasons))
            }
            DynamoError::TokenReused => Self::sender("IdempotentParameterMismatchException", message),
            DynamoError::Conflict => Self::sender("TransactionConflictException", message),
            DynamoError::Denied(_) => Self::sender("AccessDeniedException", message),
            DynamoError::Fault(fault) => fault,
            DynamoError::Corrupt(error) => {
                Self::with_status("InternalServerError", 500, "Internal server error").because(error)
            }
            DynamoError::Store(error) => {
                Self::with_status("InternalServerError", 500, "Internal server error").because(error)
            }
        }
    }
}

fn reasons_json(reasons: &[CancellationReason]) -> String {
    let reasons: Vec<String> = reasons
        .iter()
        .map(|reason| {
            let mut json = b"{\"Code\":".to_vec();
            crate::value::write_string(reason.code, &mut json);
            if let Some(message) = &reason.message {
                json.extend_from_slice(b",\"Message\":");
                crate::value::write_string(message, &mut json);
            }
            if let Some(item) = &reason.item {
                json.extend_from_slice(b",\"Item\":");
                json.extend_from_slice(item.as_bytes());
            }
            json.push(b'}');
            String::from_utf8_lossy(&json).into_owned()
        })
        .collect();
    format!("[{}]", reasons.join(","))
}
