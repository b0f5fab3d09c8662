use std::borrow::Cow;

use homeport_core::Fault;
use homeport_policy::PolicyFault;
use homeport_service::needs::{TokenRefused, Unmet};
use homeport_store::StoreError;
use homeport_vault::VaultError;

/// Every way in which STS refuses.
#[derive(Debug, thiserror::Error)]
pub enum StsError {
    /// The caller may not have this.
    #[error("{0}")]
    AccessDenied(Cow<'static, str>),
    /// A value that only makes sense with others.
    #[error("{0}")]
    ValidationError(Cow<'static, str>),
    /// A value that has the right form and is not to be had.
    #[error("{0}")]
    InvalidParameterValue(&'static str),
    /// The session policy is no policy.
    #[error("{0}")]
    MalformedPolicyDocument(#[from] PolicyFault),
    /// Policies, tags and context together are more than a token holds.
    #[error("Packed policy consumes {0}% of allotted space, please use smaller policy.")]
    PackedPolicyTooLarge(usize),
    /// The web identity's token is not one, is nobody's here, or was revoked.
    #[error("{0}")]
    InvalidIdentityToken(&'static str),
    /// The web identity's token is over.
    #[error("Token expired: current date/time must be before the expiration date/time of the token.")]
    ExpiredToken,
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Sealing failed.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The program lacks a service that this needs.
    #[error(transparent)]
    Unmet(#[from] Unmet),
}

impl From<TokenRefused> for StsError {
    fn from(refused: TokenRefused) -> Self {
        match refused {
            TokenRefused::Invalid => {
                Self::InvalidIdentityToken("The web identity token provided could not be validated.")
            }
            TokenRefused::Revoked => {
                Self::InvalidIdentityToken("The web identity token provided was revoked.")
            }
            TokenRefused::Expired => Self::ExpiredToken,
            TokenRefused::Store(error) => Self::Store(error),
        }
    }
}

impl From<StsError> for Fault {
    fn from(error: StsError) -> Self {
        let message = error.to_string();
        match error {
            StsError::AccessDenied(_) => Self::with_status("AccessDenied", 403, message),
            StsError::ValidationError(_) => Self::sender("ValidationError", message),
            StsError::InvalidParameterValue(_) => Self::sender("InvalidParameterValue", message),
            StsError::MalformedPolicyDocument(_) => Self::sender("MalformedPolicyDocument", message),
            StsError::PackedPolicyTooLarge(_) => Self::sender("PackedPolicyTooLarge", message),
            StsError::InvalidIdentityToken(_) => Self::sender("InvalidIdentityToken", message),
            StsError::ExpiredToken => Self::sender("ExpiredTokenException", message),
            StsError::Store(_) | StsError::Vault(_) | StsError::Unmet(_) => Self::internal(message),
        }
    }
}
