//! What is done behind a call's answer, step by step.

use homeport_core::{Account, Region, Timestamp};
use homeport_store::{Collection, KeyParts, Record};
use serde::{Deserialize, Serialize};

use super::Backup;
use crate::table::Table;

/// Jobs under way.
pub const JOBS: Collection<Job> = Collection::new();
/// Tables with time to live.
pub const EXPIRING: Collection<Expiring> = Collection::new();

/// Work that takes many transactions; how far it is stands in it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    /// A UUID.
    pub id: String,
    /// What is to be done.
    pub work: Work,
}

/// What a job does.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Work {
    /// Fills what lies under a number of a table, an index or the times of expiry, with what was there before it.
    Build {
        /// The table.
        table: TableRef,
        /// Under which the entries lie.
        number: u64,
        /// The key of the last item that was looked at, in hex.
        after: Option<String>,
    },
    /// Copies items.
    Copy(Box<Copying>),
    /// Removes what lies under a number of a table that nothing refers to any more.
    Sweep {
        /// The table's id.
        table_id: String,
        /// The number.
        number: u64,
    },
}

/// Items on their way from a table or a backup into a backup or a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copying {
    /// Where from.
    pub from: Origin,
    /// Where to.
    pub to: Goal,
    /// The part of the last key that was looked at, behind the items' or the history's root, in hex.
    pub after: Option<String>,
    /// Whether all items that are there have been looked at, and it is the history's turn.
    pub in_history: bool,
}

/// Where items are copied from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    /// A table as it was at a moment.
    Table {
        /// The table.
        table: TableRef,
        /// The number of its history.
        number: u64,
        /// The moment.
        at: Timestamp,
    },
    /// A backup.
    Backup {
        /// Which.
        backup: BackupRef,
        /// Under which its items lie.
        items: String,
    },
}

/// A backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupRef {
    /// The installation's account.
    pub account: Account,
    /// The table's region.
    pub region: Region,
    /// The table's name.
    pub table: String,
    /// The last part of its ARN.
    pub id: String,
}

impl BackupRef {
    /// The key of the backup's record.
    pub fn key(&self) -> KeyParts {
        KeyParts::from((self.account.number(), self.region.as_str())).str(&self.table).str(&self.id)
    }
}

impl From<&Backup> for BackupRef {
    fn from(backup: &Backup) -> Self {
        Self {
            account: backup.account,
            region: backup.region.clone(),
            table: backup.table.name.clone(),
            id: backup.id.clone(),
        }
    }
}

/// Where items are copied to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Goal {
    /// A backup.
    Backup(BackupRef),
    /// A new table.
    Table(TableRef),
}

/// A table, and not another that came to have its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableRef {
    /// The installation's account.
    pub account: Account,
    /// The table's region.
    pub region: Region,
    /// The table's name.
    pub name: String,
    /// The table's id.
    pub id: String,
}

impl TableRef {
    /// The key of the table's record.
    pub fn key(&self) -> KeyParts {
        KeyParts::from((self.account.number(), self.region.as_str())).str(&self.name)
    }
}

impl From<&Table> for TableRef {
    fn from(table: &Table) -> Self {
        Self {
            account: table.account,
            region: table.region.clone(),
            name: table.name.clone(),
            id: table.id.clone(),
        }
    }
}

impl Record for Job {
    const COLLECTION: &'static str = "dynamodb-jobs";
    const VERSION: u16 = 1;
    /// Whoever does the jobs is told of new ones.
    const WATCHED: bool = true;

    fn key(&self) -> KeyParts {
        KeyParts::from(self.id.as_str())
    }
}

/// A table with time to live.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Expiring {
    /// The table.
    pub table: TableRef,
}

impl Record for Expiring {
    const COLLECTION: &'static str = "dynamodb-expiring";
    const VERSION: u16 = 1;

    fn key(&self) -> KeyParts {
        self.table.key()
    }
}
