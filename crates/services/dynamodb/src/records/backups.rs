//! Backups.

use homeport_core::{Account, Region, Timestamp};
use homeport_store::{Collection, KeyParts, Record};
use serde::{Deserialize, Serialize};

use crate::table::Table;

/// All backups.
pub const BACKUPS: Collection<Backup> = Collection::new();

/// A backup: a table as it was, and its items under an id of their own.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Backup {
    /// The installation's account.
    pub account: Account,
    /// The table's region.
    pub region: Region,
    /// The last part of its ARN.
    pub id: String,
    /// `BackupName`
    pub name: String,
    /// The table as it was.
    pub table: Table,
    /// Under which its items lie: a UUID, or the id of a table that was deleted.
    pub items: String,
    /// When it was asked for: as of when it holds the items.
    pub created: Timestamp,
    /// Who asked for it.
    pub kind: BackupKind,
    /// Whether all items are in it.
    pub is_available: bool,
    /// How many items there are.
    pub item_count: i64,
    /// Of how many bytes.
    pub bytes: i64,
    /// The jobs that copy from it.
    pub read_by: Vec<String>,
}

/// `BackupType`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BackupKind {
    /// A user.
    User,
    /// DynamoDB, as a table with point-in-time recovery was deleted.
    System,
}

/// How long a backup that nobody asked for is kept.
const SYSTEM_DAYS: i64 = 35;

impl Backup {
    /// `arn:aws:dynamodb:REGION:ACCOUNT:table/NAME/backup/ID`
    pub fn arn(&self) -> String {
        format!("{}/backup/{}", self.table.arn(), self.id)
    }

    /// When it is removed.
    pub fn expires(&self) -> Option<Timestamp> {
        (self.kind == BackupKind::System).then(|| self.created.plus_seconds(SYSTEM_DAYS * 24 * 60 * 60))
    }
}

impl Record for Backup {
    const COLLECTION: &'static str = "dynamodb-backups";
    const VERSION: u16 = 1;

    fn key(&self) -> KeyParts {
        KeyParts::from((self.account.number(), self.region.as_str())).str(&self.table.name).str(&self.id)
    }
}
