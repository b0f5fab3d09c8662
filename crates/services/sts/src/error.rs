use homeport_core::Fault;
use homeport_store::StoreError;

/// What can go wrong in STS.
#[derive(Debug, thiserror::Error)]
pub enum StsError {
    /// The caller has no identity to show.
    #[error("Request is missing Authentication Token")]
    NoIdentity,
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<StsError> for Fault {
    fn from(error: StsError) -> Self {
        let message = error.to_string();
        match error {
            StsError::NoIdentity => Fault::with_status("MissingAuthenticationToken", 403, message),
            StsError::Store(_) => {
                Fault::with_status("ServiceUnavailable", 503, "Try again.").because(message)
            }
        }
    }
}
