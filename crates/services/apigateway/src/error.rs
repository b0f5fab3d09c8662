use std::borrow::Cow;

use homeport_core::Fault;
use homeport_store::StoreError;

/// Every way in which API Gateway's control plane refuses.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// No such API in this account and region.
    #[error("Invalid API identifier specified {account}:{id}")]
    NoSuchApi {
        /// The account.
        account: String,
        /// The id asked for.
        id: String,
    },
    /// No such part of an API: `Resource`, `Method`, `Integration`, `Deployment`, `stage`, `Authorizer`, …
    #[error("Invalid {0} identifier specified")]
    NoSuch(&'static str),
    /// The method or integration answers no such status.
    #[error("Invalid Response status code specified")]
    NoSuchResponse,
    /// No such model.
    #[error("Invalid model identifier specified: {0}")]
    NoSuchModel(String),
    /// A value that cannot be.
    #[error("{0}")]
    Invalid(Cow<'static, str>),
    /// A patch of something that cannot be patched (so).
    #[error("Invalid patch path  '{path}' specified for op '{op}'. Must be one of: [{possible}]")]
    InvalidPatch {
        /// Where.
        path: String,
        /// What.
        op: String,
        /// What could be patched.
        possible: &'static str,
    },
    /// It is there already, or something hangs on it.
    #[error("{0}")]
    Conflict(Cow<'static, str>),
    /// A quota would be passed.
    #[error("{0}")]
    LimitExceeded(&'static str),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl GatewayError {
    /// A value that cannot be.
    pub(crate) fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::Invalid(message.into())
    }
}

impl From<GatewayError> for Fault {
    fn from(error: GatewayError) -> Self {
        let message = error.to_string();
        match error {
            GatewayError::NoSuchApi { .. }
            | GatewayError::NoSuch(_)
            | GatewayError::NoSuchResponse
            | GatewayError::NoSuchModel(_) => Self::with_status("NotFoundException", 404, message),
            GatewayError::Invalid(_) | GatewayError::InvalidPatch { .. } => {
                Self::with_status("BadRequestException", 400, message)
            }
            GatewayError::Conflict(_) => Self::with_status("ConflictException", 409, message),
            GatewayError::LimitExceeded(_) => Self::with_status("LimitExceededException", 429, message),
            GatewayError::Store(StoreError::Conflict) => {
                Self::with_status("TooManyRequestsException", 429, "Too Many Requests")
            }
            GatewayError::Store(error) => Self::internal(error),
        }
    }
}
