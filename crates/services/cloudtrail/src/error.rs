use homeport_core::Fault;
use homeport_store::StoreError;

/// What can go wrong in CloudTrail.
#[derive(Debug, thiserror::Error)]
pub enum TrailError {
    /// The paging token is none of ours.
    #[error("Invalid NextToken.")]
    InvalidNextToken,
    /// More than one attribute, or one that isn't known.
    #[error("{0}")]
    InvalidLookupAttributes(&'static str),
    /// The end lies before the start.
    #[error("The start time must be before the end time.")]
    InvalidTimeRange,
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<TrailError> for Fault {
    fn from(error: TrailError) -> Self {
        let message = error.to_string();
        match error {
            TrailError::InvalidNextToken => Fault::sender("InvalidNextTokenException", message),
            TrailError::InvalidLookupAttributes(_) => {
                Fault::sender("InvalidLookupAttributesException", message)
            }
            TrailError::InvalidTimeRange => Fault::sender("InvalidTimeRangeException", message),
            TrailError::Store(_) => {
                Fault::with_status("ServiceUnavailable", 503, "Try again.").because(message)
            }
        }
    }
}
