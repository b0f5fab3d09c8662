//! Exports of tables into buckets.

use homeport_core::Timestamp;
use homeport_store::{Collection, KeyParts, Record};
use serde::{Deserialize, Serialize};

use super::{Failure, TransferRef, TransferStatus};

/// All exports.
pub const EXPORTS: Collection<Export> = Collection::new();
/// What the manifests of exports under way will name.
pub const EXPORT_FILES: Collection<ExportFile> = Collection::new();

/// How long it is told of exports and imports.
pub const KEPT_DAYS: i64 = 90;

/// An export.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Export {
    /// Its table and its id.
    pub at: TransferRef,
    /// `TableId`
    pub table_id: String,
    /// `ClientToken`
    pub token: String,
    /// When it was asked for.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// How it stands.
    pub status: TransferStatus,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// `S3Bucket`
    pub bucket: String,
    /// `S3BucketOwner`
    pub owner: Option<String>,
    /// `S3Prefix`
    pub prefix: Option<String>,
    /// `S3SseAlgorithm`, where it was asked for.
    pub sse: Option<String>,
    /// `ExportFormat`
    pub format: ExportFormat,
    /// What of the table is exported.
    pub span: ExportSpan,
    /// The names of the table's key.
    pub keys: Vec<String>,
    /// Whether `ExportType` was given: only then is it told.
    pub typed: bool,
    /// `ItemCount`, once it has ended.
    pub items: i64,
    /// `BilledSizeBytes`, once it has ended.
    pub bytes: i64,
}

/// `ExportFormat`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExportFormat {
    /// `DYNAMODB_JSON`
    DynamoDbJson,
    /// `ION`
    Ion,
}

impl ExportFormat {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::DynamoDbJson => "DYNAMODB_JSON",
            Self::Ion => "ION",
        }
    }

    /// What its files' names end with.
    pub fn ending(self) -> &'static str {
        match self {
            Self::DynamoDbJson => "json.gz",
            Self::Ion => "ion.gz",
        }
    }
}

/// What of a table is exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExportSpan {
    /// All items as of this moment.
    Full(Timestamp),
    /// What changed from one moment, up to another.
    Incremental {
        /// The first moment.
        from: Timestamp,
        /// The moment behind the last.
        to: Timestamp,
        /// Whether it is told what the items were before.
        with_old: bool,
    },
}

impl Export {
    /// `TABLE-ARN/export/ID`
    pub fn arn(&self) -> String {
        format!("{}/export/{}", self.at.table_arn(), self.at.id)
    }

    /// Whether it is of all items.
    pub fn is_full(&self) -> bool {
        matches!(self.span, ExportSpan::Full(_))
    }

    /// `ExportType`
    pub fn type_name(&self) -> &'static str {
        if self.is_full() { "FULL_EXPORT" } else { "INCREMENTAL_EXPORT" }
    }

    /// From when to when, where it is of changes.
    pub fn from_to(&self) -> Option<(Timestamp, Timestamp)> {
        match self.span {
            ExportSpan::Full(_) => None,
            ExportSpan::Incremental { from, to, .. } => Some((from, to)),
        }
    }

    /// `ExportViewType`, where it is of changes.
    pub fn view(&self) -> Option<&'static str> {
        match self.span {
            ExportSpan::Full(_) => None,
            ExportSpan::Incremental { with_old: true, .. } => Some("NEW_AND_OLD_IMAGES"),
            ExportSpan::Incremental { with_old: false, .. } => Some("NEW_IMAGE"),
        }
    }

    /// What all keys of its objects begin with, up to `AWSDynamoDB`.
    fn root(&self) -> String {
        match self.prefix.as_deref() {
            None => "AWSDynamoDB".to_owned(),
            Some(prefix) => format!("{}/AWSDynamoDB", prefix.strip_suffix('/').unwrap_or(prefix)),
        }
    }

    /// The key of one of the objects beside the data.
    pub fn object(&self, name: &str) -> String {
        format!("{}/{}/{name}", self.root(), self.at.id)
    }

    /// The key of a data file. Those of incremental exports lie together with others'.
    pub fn data_object(&self, name: &str) -> String {
        match self.span {
            ExportSpan::Full(_) => self.object(&format!("data/{name}.{}", self.format.ending())),
            ExportSpan::Incremental { .. } => {
                format!("{}/data/{name}.{}", self.root(), self.format.ending())
            }
        }
    }
}

impl Record for Export {
    const COLLECTION: &'static str = "dynamodb-exports";
    const VERSION: u16 = 1;

    fn key(&self) -> KeyParts {
        self.at.key()
    }
}

/// A data file of an export under way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExportFile {
    /// The export's job.
    pub transfer: String,
    /// Which of its files.
    pub number: u64,
    /// The object's key.
    pub key: String,
    /// The object's ETag: its MD5 in hexadecimal.
    pub etag: String,
    /// Items in it.
    pub items: i64,
}

impl Record for ExportFile {
    const COLLECTION: &'static str = "dynamodb-export-files";
    const VERSION: u16 = 1;

    fn key(&self) -> KeyParts {
        KeyParts::from(self.transfer.as_str()).u64(self.number)
    }
}
