use homeport_core::Fault;
use homeport_store::StoreError;

/// Every way an operation of CloudWatch Logs fails.
#[derive(Debug, thiserror::Error)]
pub enum LogsError {
    /// No such group.
    #[error("The specified log group does not exist.")]
    NoSuchGroup,
    /// No such stream.
    #[error("The specified log stream does not exist.")]
    NoSuchStream,
    /// A group of this name is there.
    #[error("The specified log group already exists")]
    GroupExists,
    /// A stream of this name is there.
    #[error("The specified log stream already exists")]
    StreamExists,
    /// What the model couldn't say is wrong.
    #[error("{0}")]
    Invalid(String),
    /// A bound of the service.
    #[error("{0}")]
    LimitExceeded(&'static str),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl LogsError {
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid(message.into())
    }

    pub(crate) fn invalid_token() -> Self {
        Self::invalid("The specified nextToken is invalid.")
    }
}

impl From<LogsError> for Fault {
    fn from(error: LogsError) -> Self {
        let message = error.to_string();
        match error {
            LogsError::NoSuchGroup | LogsError::NoSuchStream => {
                Self::sender("ResourceNotFoundException", message)
            }
            LogsError::GroupExists | LogsError::StreamExists => {
                Self::sender("ResourceAlreadyExistsException", message)
            }
            LogsError::Invalid(_) => Self::sender("InvalidParameterException", message),
            LogsError::LimitExceeded(_) => Self::sender("LimitExceededException", message),
            LogsError::Store(error) => Self::internal(error),
        }
    }
}
