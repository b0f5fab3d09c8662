use homeport_core::Fault;
use homeport_service::needs::{TokenRefused, Unmet};
use homeport_store::StoreError;

/// What can go wrong in identity pools.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// No such pool.
    #[error("IdentityPool '{0}' not found.")]
    NoSuchPool(String),
    /// No such identity.
    #[error("Identity '{0}' not found.")]
    NoSuchIdentity(String),
    /// Guests are not let in.
    #[error("Unauthenticated access is not supported for this identity pool.")]
    NoGuests,
    /// The identity belongs to somebody who must sign in.
    #[error("Access to Identity '{0}' is forbidden.")]
    Forbidden(String),
    /// The login's token is wrong, expired or revoked; or its provider is not the pool's.
    #[error("{0}")]
    NotAuthorized(&'static str),
    /// A login of a provider that the pool does not name.
    #[error("Token is not from a supported provider of this identity pool.")]
    UnknownProvider,
    /// More logins than can be looked at.
    #[error("Please provide at most {0} logins.")]
    TooManyLogins(usize),
    /// The login is another identity's already.
    #[error(
        "Logins don't match. Please include at least one valid login for this identity or identity pool."
    )]
    LoginsDiffer,
    /// The pool has no role for such callers.
    #[error("Invalid identity pool configuration. Check assigned IAM roles for this pool.")]
    NoRole,
    /// A member's value is not one.
    #[error("{0}")]
    InvalidParameter(String),
    /// Too many guests from one address.
    #[error("Rate exceeded")]
    TooMany,
    /// At most so many pools, or tags.
    #[error("{0}")]
    LimitExceeded(&'static str),
    /// Something broke here.
    #[error("{0}")]
    Internal(String),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Unmet> for IdentityError {
    fn from(unmet: Unmet) -> Self {
        Self::Internal(unmet.to_string())
    }
}

impl From<TokenRefused> for IdentityError {
    fn from(refused: TokenRefused) -> Self {
        match refused {
            TokenRefused::Invalid => {
                Self::NotAuthorized("Invalid login token. Not a valid OpenId Connect identity token.")
            }
            TokenRefused::Expired => Self::NotAuthorized("Invalid login token. Token expired."),
            TokenRefused::Revoked => Self::NotAuthorized("Invalid login token. Token is revoked."),
            TokenRefused::Store(error) => Self::Store(error),
        }
    }
}

impl From<IdentityError> for Fault {
    fn from(error: IdentityError) -> Self {
        use IdentityError as E;
        let message = error.to_string();
        match error {
            E::NoSuchPool(_) | E::NoSuchIdentity(_) => Fault::sender("ResourceNotFoundException", message),
            E::NoGuests | E::Forbidden(_) | E::NotAuthorized(_) | E::LoginsDiffer | E::UnknownProvider => {
                Fault::sender("NotAuthorizedException", message)
            }
            E::NoRole => Fault::sender("InvalidIdentityPoolConfigurationException", message),
            E::InvalidParameter(_) | E::TooManyLogins(_) => {
                Fault::sender("InvalidParameterException", message)
            }
            E::TooMany => Fault::with_status("TooManyRequestsException", 429, message),
            E::LimitExceeded(_) => Fault::sender("LimitExceededException", message),
            E::Internal(_) => {
                Fault::with_status("InternalErrorException", 500, "An internal error occurred.")
                    .because(message)
            }
            E::Store(_) => Fault::with_status("InternalErrorException", 503, "Try again.").because(message),
        }
    }
}
