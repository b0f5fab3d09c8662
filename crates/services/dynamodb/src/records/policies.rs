//! Policies of tables and streams.

use homeport_service::needs::Pinned;
use homeport_store::{Collection, KeyParts, Record};
use serde::{Deserialize, Serialize};

/// All policies.
pub const POLICIES: Collection<PolicyRecord> = Collection::new();

/// The policy of a table or a stream.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PolicyRecord {
    /// The ARN of what it is of.
    pub arn: String,
    /// The document, as it was put.
    pub text: String,
    /// `RevisionId`: another with every change.
    pub revision: String,
    /// Whom it names.
    pub principals: Pinned,
}

impl Record for PolicyRecord {
    const COLLECTION: &'static str = "dynamodb-policies";
    const VERSION: u16 = 1;
    /// Whether there are any at all is kept in mind.
    const WATCHED: bool = true;

    fn key(&self) -> KeyParts {
        KeyParts::from(self.arn.as_str())
    }
}
