//! Exports into a bucket and imports out of one: what is told of them, and how far they are.

use homeport_core::{Account, Region, Timestamp};
use homeport_service::KeptCaller;
use homeport_store::{Collection, KeyParts, Record};
use serde::{Deserialize, Serialize};

use super::{Export, Import, TableRef};

/// Exports and imports under way.
pub const TRANSFERS: Collection<Transfer> = Collection::new();

/// How an export or an import stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TransferStatus {
    /// `IN_PROGRESS`
    InProgress,
    /// `COMPLETED`
    Completed,
    /// `FAILED`
    Failed,
    /// `CANCELLED`
    Cancelled,
}

impl TransferStatus {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::InProgress => "IN_PROGRESS",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
        }
    }
}

/// Why an export or an import failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// `FailureCode`
    pub code: String,
    /// `FailureMessage`
    pub message: String,
}

/// An export or an import, as its table and its id name it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferRef {
    /// The installation's account.
    pub account: Account,
    /// The table's region.
    pub region: Region,
    /// The table's name.
    pub table: String,
    /// The last part of its ARN.
    pub id: String,
}

impl TransferRef {
    /// The key of its record.
    pub fn key(&self) -> KeyParts {
        KeyParts::from((self.account.number(), self.region.as_str())).str(&self.table).str(&self.id)
    }

    /// `arn:aws:dynamodb:REGION:ACCOUNT:table/NAME`
    pub fn table_arn(&self) -> String {
        format!("arn:aws:dynamodb:{}:{}:table/{}", self.region, self.account, self.table)
    }
}

/// What is left to do of an export or an import.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Transfer {
    /// A UUID.
    pub id: String,
    /// Who asked: each object is put or read with this caller's rights.
    pub by: KeptCaller,
    /// What is to be done.
    pub work: TransferWork,
    /// When it went on last; none where it never did.
    #[serde(default)]
    pub went_on: Option<Timestamp>,
}

/// Which way the items go.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum TransferWork {
    /// Into a bucket.
    Export(Box<Exporting>),
    /// Out of one.
    Import(Box<Importing>),
}

/// An export under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exporting {
    /// Its record.
    pub export: TransferRef,
    /// The table.
    pub table: TableRef,
    /// The number of the table's history.
    pub number: u64,
    /// How far it is.
    pub stage: ExportStage,
    /// Data files that were put.
    pub files: u64,
    /// Items in them.
    pub items: i64,
    /// Of how many bytes, as DynamoDB counts them.
    pub bytes: i64,
}

/// How far an export is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExportStage {
    /// Nothing was put yet.
    Begin,
    /// The items behind this place, in hex, come next.
    Items(Option<String>),
    /// All items are there, and the manifests come next.
    Manifests,
    /// It has ended; what it kept of its files is removed.
    Ended,
}

/// An import under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Importing {
    /// Its record.
    pub import: TransferRef,
    /// The new table.
    pub table: TableRef,
    /// The last object that was read to its end.
    pub after: Option<String>,
    /// The object that is being read.
    pub reading: Option<ReadingObject>,
    /// `ProcessedItemCount`
    pub processed: i64,
    /// `ImportedItemCount`
    pub imported: i64,
    /// `ProcessedSizeBytes`
    pub bytes: i64,
}

impl Importing {
    /// `ErrorCount`
    pub fn errors(&self) -> i64 {
        self.processed - self.imported
    }
}

/// How far an object was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadingObject {
    /// Its key.
    pub key: String,
    /// Its ETag: another object under the key is not the one that was begun.
    pub etag: String,
    /// Records of it that were taken.
    pub records: u64,
    /// How many of them were items, or should have been.
    pub items: u64,
}

impl Record for Transfer {
    const COLLECTION: &'static str = "dynamodb-transfers";
    const VERSION: u16 = 1;

    fn key(&self) -> KeyParts {
        KeyParts::from(self.id.as_str())
    }
}

impl From<&Export> for TransferRef {
    fn from(export: &Export) -> Self {
        export.at.clone()
    }
}

impl From<&Import> for TransferRef {
    fn from(import: &Import) -> Self {
        import.at.clone()
    }
}
