use homeport_blobs::BlobError;
use homeport_core::Fault;
use homeport_sandbox::SandboxError;
use homeport_service::needs::{AssumeRefused, Unmet};
use homeport_store::StoreError;
use homeport_vault::VaultError;

/// Every way an operation of Lambda fails.
#[derive(Debug, thiserror::Error)]
pub enum LambdaError {
    /// No such function, version or qualifier: its ARN.
    #[error("Function not found: {0}")]
    FunctionNotFound(String),
    /// No resource policy, or no such statement in it.
    #[error("{0}")]
    PolicyNotFound(&'static str),
    /// A function of this name is there.
    #[error("Function already exist: {0}")]
    FunctionExists(String),
    /// A statement of this id is there.
    #[error(
        "The statement id ({0}) provided already exists. Please provide a new statement id, or remove the existing statement."
    )]
    StatementExists(String),
    /// What the model couldn't say is wrong.
    #[error("{0}")]
    InvalidParameterValue(String),
    /// The event is not JSON.
    #[error("Could not parse request body into json: {0}")]
    InvalidRequestContent(String),
    /// The event is larger than it may be, in bytes.
    #[error("{0} byte payload is too large for the {1} invocation type (limit {2} bytes)")]
    RequestTooLarge(usize, &'static str, usize),
    /// The package is larger than it may be when it is sent directly.
    #[error("Request must be smaller than {0} bytes for the {1} operation")]
    PackageTooLarge(usize, &'static str),
    /// No environment is free, and no more may be made.
    #[error("Rate Exceeded.")]
    TooManyRequests,
    /// The revision id is not the function's any more.
    #[error(
        "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id"
    )]
    PreconditionFailed,
    /// The resource policy would be longer than 20 KB.
    #[error("The final policy size is bigger than the limit (20480).")]
    PolicyLengthExceeded,
    /// Functions invoke each other too deeply.
    #[error("Recursive invocation detected: this call is at the end of a chain of {0} invocations.")]
    TooDeep(u8),
    /// The function's role can't be assumed, or is gone.
    #[error("The role defined for the function cannot be assumed by Lambda.")]
    RoleNotAssumable,
    /// The machine can't run this function now.
    #[error("{0}")]
    CannotRun(String),
    /// The sandbox.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The blobs.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// Sealing.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// A need that nobody meets.
    #[error(transparent)]
    Unmet(#[from] Unmet),
    /// Files of unpacked packages.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl LambdaError {
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::InvalidParameterValue(message.into())
    }
}

impl From<AssumeRefused> for LambdaError {
    fn from(refused: AssumeRefused) -> Self {
        match refused {
            AssumeRefused::NoSuchRole | AssumeRefused::NotTrusted => Self::RoleNotAssumable,
            AssumeRefused::Internal(cause) => Self::CannotRun(cause),
        }
    }
}

impl From<LambdaError> for Fault {
    fn from(error: LambdaError) -> Self {
        let message = error.to_string();
        match error {
            LambdaError::FunctionNotFound(_) | LambdaError::PolicyNotFound(_) => {
                Self::with_status("ResourceNotFoundException", 404, message)
            }
            LambdaError::FunctionExists(_) | LambdaError::StatementExists(_) => {
                Self::with_status("ResourceConflictException", 409, message)
            }
            LambdaError::InvalidParameterValue(_) => Self::sender("InvalidParameterValueException", message),
            LambdaError::RoleNotAssumable => Self::sender("InvalidParameterValueException", message),
            LambdaError::InvalidRequestContent(_) => Self::sender("InvalidRequestContentException", message),
            LambdaError::RequestTooLarge(..) | LambdaError::PackageTooLarge(..) => {
                Self::with_status("RequestTooLargeException", 413, message)
            }
            LambdaError::TooManyRequests => Self::with_status("TooManyRequestsException", 429, message)
                .with_member("Reason", "\"ConcurrentInvocationLimitExceeded\""),
            LambdaError::PreconditionFailed => Self::with_status("PreconditionFailedException", 412, message),
            LambdaError::PolicyLengthExceeded => Self::sender("PolicyLengthExceededException", message),
            LambdaError::TooDeep(_) => Self::sender("RecursiveInvocationException", message),
            LambdaError::CannotRun(_) => Self::with_status("ServiceException", 500, message),
            LambdaError::Sandbox(SandboxError::Refused(_)) => {
                Self::with_status("ServiceException", 500, message)
            }
            LambdaError::Sandbox(_)
            | LambdaError::Store(_)
            | LambdaError::Blob(_)
            | LambdaError::Vault(_)
            | LambdaError::Unmet(_)
            | LambdaError::Io(_) => {
                Self::with_status("ServiceException", 500, "An internal error occurred.").because(message)
            }
        }
    }
}
