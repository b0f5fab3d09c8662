//! Imports of tables out of buckets.

use homeport_core::Timestamp;
use homeport_store::{Collection, KeyParts, Record};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Failure, TransferRef, TransferStatus};

/// All imports.
pub const IMPORTS: Collection<Import> = Collection::new();

/// Where the errors of imports are written.
pub const LOG_GROUP: &str = "/aws-dynamodb/imports";

/// An import.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Import {
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
    /// `S3KeyPrefix`
    pub prefix: Option<String>,
    /// `InputFormat`
    pub format: InputFormat,
    /// `InputCompressionType`
    pub compression: InputCompression,
    /// How CSV is read.
    pub csv: CsvOptions,
    /// `InputFormatOptions`, as they were given.
    pub options: Option<Value>,
    /// `TableCreationParameters`, as they were given.
    pub parameters: Value,
    /// `ProcessedItemCount`, once it has ended.
    pub processed: i64,
    /// `ImportedItemCount`, once it has ended.
    pub imported: i64,
    /// `ProcessedSizeBytes`, once it has ended.
    pub bytes: i64,
}

/// `InputFormat`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum InputFormat {
    /// `DYNAMODB_JSON`
    DynamoDbJson,
    /// `CSV`
    Csv,
    /// `ION`
    Ion,
}

impl InputFormat {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::DynamoDbJson => "DYNAMODB_JSON",
            Self::Csv => "CSV",
            Self::Ion => "ION",
        }
    }
}

/// `InputCompressionType`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum InputCompression {
    /// `NONE`
    None,
    /// `GZIP`
    Gzip,
    /// `ZSTD`
    Zstd,
}

impl InputCompression {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Gzip => "GZIP",
            Self::Zstd => "ZSTD",
        }
    }
}

/// How CSV is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CsvOptions {
    /// What stands between values.
    pub delimiter: char,
    /// The attributes' names, where the first line of an object doesn't say them.
    pub header: Option<Vec<String>>,
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self { delimiter: ',', header: None }
    }
}

impl Import {
    /// `TABLE-ARN/import/ID`
    pub fn arn(&self) -> String {
        format!("{}/import/{}", self.at.table_arn(), self.at.id)
    }

    /// `CloudWatchLogGroupArn`
    pub fn log_group_arn(&self) -> String {
        format!("arn:aws:logs:{}:{}:log-group:{LOG_GROUP}:*", self.at.region, self.at.account)
    }
}

impl Record for Import {
    const COLLECTION: &'static str = "dynamodb-imports";
    const VERSION: u16 = 1;

    fn key(&self) -> KeyParts {
        self.at.key()
    }
}
