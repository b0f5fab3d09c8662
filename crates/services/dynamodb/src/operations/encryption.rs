//! How tables ask to be encrypted.

use serde::Deserialize;

use super::shape::parameter;
use crate::error::Invalid;

/// `SSESpecification`
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SseSpecification {
    enabled: Option<bool>,
    #[serde(rename = "SSEType")]
    sse_type: Option<String>,
}

impl SseSpecification {
    /// Refuses what no table has: its description would say that a key of KMS encrypts the items, and there is no KMS
    /// here.
    pub(super) fn check(&self) -> Result<(), Invalid> {
        match (self.enabled == Some(true), self.sse_type.as_deref()) {
            (false, None) => Ok(()),
            (false, Some(_)) => parameter("SSEType can not be specified if Enabled is false"),
            (true, None | Some("KMS")) => {
                parameter("SSESpecification is not supported by this endpoint: there are no keys of KMS")
            }
            (true, Some(other)) => parameter(format!("SSEType {other} is not supported")),
        }
    }
}
