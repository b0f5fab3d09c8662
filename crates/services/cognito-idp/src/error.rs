use homeport_core::Fault;
use homeport_service::needs::{NotSent, Unmet};
use homeport_store::StoreError;
use homeport_vault::VaultError;

use crate::attributes::{AttributeFault, SchemaFault};
use crate::filter::FilterFault;
use crate::password::{Busy, PolicyBreach};

/// Everything that can go wrong in a user pool, in its own words.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IdpError {
    #[error("{0}")]
    InvalidParameter(String),
    #[error("{0}")]
    NotAuthorized(String),
    #[error("User does not exist.")]
    NoSuchUser,
    #[error("{0}")]
    NoSuchResource(String),
    #[error("User is not confirmed.")]
    NotConfirmed,
    #[error("Password reset required for the user")]
    ResetRequired,
    #[error("{0}")]
    UsernameExists(&'static str),
    #[error("An account with the given {0} already exists.")]
    AliasExists(&'static str),
    #[error("A group with the name already exists.")]
    GroupExists,
    #[error("Invalid verification code provided, please try again.")]
    CodeMismatch,
    #[error("Invalid code provided, please request a code again.")]
    CodeExpired,
    #[error("Attempt limit exceeded, please try after some time.")]
    TooManyAttempts,
    #[error("{0}")]
    LimitExceeded(&'static str),
    #[error("Too many requests")]
    TooManyRequests,
    #[error("Password did not conform with policy: {0}")]
    Password(#[from] PolicyBreach),
    #[error("{0}")]
    UnsupportedUserState(&'static str),
    #[error("Unable to deliver the message.")]
    NotDelivered(String),
    #[error("{0}")]
    UnsupportedOperation(&'static str),
    #[error("The token is not a refresh token.")]
    UnsupportedTokenType,
    #[error("The token was not issued to this client.")]
    Unauthorized,
    #[error("{0} is not available in this user pool.")]
    FeatureUnavailable(&'static str),
    #[error(transparent)]
    Attribute(#[from] AttributeFault),
    #[error(transparent)]
    Schema(#[from] SchemaFault),
    #[error(transparent)]
    Filter(#[from] FilterFault),
    #[error(transparent)]
    Store(StoreError),
    #[error("{0}")]
    Internal(String),
}

impl IdpError {
    /// A member of the request is not what it should be.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::InvalidParameter(message.into())
    }

    /// The caller has not proved what it must.
    pub(crate) fn not_authorized(message: impl Into<String>) -> Self {
        Self::NotAuthorized(message.into())
    }

    /// What a wrong password is answered, and all that must look like it.
    pub(crate) fn wrong_password() -> Self {
        Self::not_authorized("Incorrect username or password.")
    }

    /// No such pool.
    pub(crate) fn no_pool(id: &str) -> Self {
        Self::NoSuchResource(format!("User pool {id} does not exist."))
    }

    /// No such app client.
    pub(crate) fn no_client(id: &str) -> Self {
        Self::NoSuchResource(format!("User pool client {id} does not exist."))
    }
}

impl From<IdpError> for Fault {
    fn from(error: IdpError) -> Self {
        let message = error.to_string();
        match error {
            IdpError::InvalidParameter(_) => Self::sender("InvalidParameterException", message),
            IdpError::NotAuthorized(_) => Self::sender("NotAuthorizedException", message),
            IdpError::NoSuchUser => Self::sender("UserNotFoundException", message),
            IdpError::NoSuchResource(_) => Self::sender("ResourceNotFoundException", message),
            IdpError::NotConfirmed => Self::sender("UserNotConfirmedException", message),
            IdpError::ResetRequired => Self::sender("PasswordResetRequiredException", message),
            IdpError::UsernameExists(_) => Self::sender("UsernameExistsException", message),
            IdpError::AliasExists(_) => Self::sender("AliasExistsException", message),
            IdpError::GroupExists => Self::sender("GroupExistsException", message),
            IdpError::CodeMismatch => Self::sender("CodeMismatchException", message),
            IdpError::CodeExpired => Self::sender("ExpiredCodeException", message),
            IdpError::TooManyAttempts | IdpError::LimitExceeded(_) => {
                Self::sender("LimitExceededException", message)
            }
            IdpError::TooManyRequests => Self::sender("TooManyRequestsException", message),
            IdpError::Password(_) => Self::sender("InvalidPasswordException", message),
            IdpError::UnsupportedUserState(_) => Self::sender("UnsupportedUserStateException", message),
            IdpError::UnsupportedOperation(_) => Self::sender("UnsupportedOperationException", message),
            IdpError::UnsupportedTokenType => Self::sender("UnsupportedTokenTypeException", message),
            IdpError::Unauthorized => Self::sender("UnauthorizedException", message),
            IdpError::NotDelivered(cause) => {
                Self::sender("CodeDeliveryFailureException", message).because(cause)
            }
            IdpError::FeatureUnavailable(_) => Self::sender("FeatureUnavailableInTierException", message),
            IdpError::Attribute(AttributeFault::Unwritable) => {
                Self::sender("NotAuthorizedException", message)
            }
            IdpError::Attribute(_) | IdpError::Schema(_) | IdpError::Filter(_) => {
                Self::sender("InvalidParameterException", message)
            }
            IdpError::Store(_) | IdpError::Internal(_) => {
                let mut fault = Self::internal(message);
                fault.code = "InternalErrorException".into();
                fault
            }
        }
    }
}

impl From<StoreError> for IdpError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::BadCursor => Self::invalid("Invalid pagination token given."),
            other => Self::Store(other),
        }
    }
}

impl From<VaultError> for IdpError {
    fn from(error: VaultError) -> Self {
        Self::Internal(error.to_string())
    }
}

impl From<Fault> for IdpError {
    fn from(fault: Fault) -> Self {
        Self::Internal(fault.to_string())
    }
}

impl From<Unmet> for IdpError {
    fn from(error: Unmet) -> Self {
        Self::Internal(error.to_string())
    }
}

impl From<Busy> for IdpError {
    fn from(_: Busy) -> Self {
        Self::TooManyRequests
    }
}

impl From<NotSent> for IdpError {
    fn from(error: NotSent) -> Self {
        Self::NotDelivered(error.to_string())
    }
}
