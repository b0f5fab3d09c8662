use std::sync::Arc;

use crate::{MAX_KEY_BYTES, MAX_TRANSACTION_BYTES, MAX_TRANSACTION_TIME};

/// Why the store did not do what it was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The encoded key passes [`MAX_KEY_BYTES`].
    #[error("a key of {bytes} bytes; at most {MAX_KEY_BYTES} are taken")]
    KeyTooLong {
        /// The encoded key's length.
        bytes: usize,
    },
    /// What the transaction read and wrote passes [`MAX_TRANSACTION_BYTES`]: it must become a job in steps.
    #[error("a transaction of more than {MAX_TRANSACTION_BYTES} bytes")]
    TransactionTooBig,
    /// The transaction ran longer than [`MAX_TRANSACTION_TIME`].
    #[error("a transaction of more than {} s", MAX_TRANSACTION_TIME.as_secs())]
    TransactionTooLong,
    /// The transaction met conflicts again and again, also when it was queued first.
    #[error("the transaction met too many conflicts")]
    Conflict,
    /// The closure gave up for a reason of its own, which whoever opened the transaction knows.
    #[error("the transaction was given up: {0}")]
    Aborted(&'static str),
    /// A write in a transaction that [`Store::read`](crate::Store::read) opened.
    #[error("a write in a transaction that only reads")]
    ReadOnly,
    /// The transaction is over: its handle was kept longer than its closure.
    #[error("the transaction is over")]
    Closed,
    /// More than 65,536 versionstamps in one transaction.
    #[error("too many versionstamps in one transaction")]
    TooManyStamps,
    /// A merge, a counter or `get_i64` met a value that is not eight bytes.
    #[error("the value is not a number")]
    NotANumber,
    /// Another record already holds this entry of a unique index.
    #[error("another record of {collection} has the same {index}")]
    Taken {
        /// The collection's name.
        collection: &'static str,
        /// The index's name.
        index: &'static str,
    },
    /// The index was declared after records were there, and no job has filled it yet.
    #[error("index {index} of {collection} is still being built")]
    IndexBuilding {
        /// The collection's name.
        collection: &'static str,
        /// The index's name.
        index: &'static str,
    },
    /// The collection declares no index of this name (or not of this kind).
    #[error("{collection} has no such index: {index}")]
    NoSuchIndex {
        /// The collection's name.
        collection: &'static str,
        /// The name asked for.
        index: String,
    },
    /// The cursor is not one that a page before gave.
    #[error("the cursor was not given by this query")]
    BadCursor,
    /// The record was written by a newer program.
    #[error("a record of {collection} has version {version}, which is newer than this program")]
    NewerRecord {
        /// The collection's name.
        collection: &'static str,
        /// The record's version.
        version: u16,
    },
    /// The record's bytes can't be read.
    #[error("a record of {collection} can't be read: {reason}")]
    BadRecord {
        /// The collection's name.
        collection: &'static str,
        /// Where reading failed; never the record's content.
        reason: String,
    },
    /// The lease was lost: it ran out and another took it, or it was given back.
    #[error("the lease {name} was lost")]
    LeaseLost {
        /// The lease's name.
        name: String,
    },
    /// Another version of the program has upgraded the store meanwhile: this one reads and writes it no more.
    #[error("the store was upgraded by another Homeport: its format is {found}, this one's is {known}")]
    OtherFormat {
        /// The store's format.
        found: u32,
        /// This program's.
        known: u32,
    },
    /// The database can't be reached or doesn't answer in time, or too much waits for it: worth another try in a moment. A
    /// write may have taken effect where it was sent and the answer was lost for long.
    #[error("the database is away: {0}")]
    Away(Arc<str>),
    /// The engine failed to read, or has stopped.
    #[error("the store failed: {0}")]
    Engine(Arc<dyn std::error::Error + Send + Sync>),
}

impl StoreError {
    /// Whether the same may work in a moment, without anything being wrong with what was asked.
    pub const fn is_away(&self) -> bool {
        matches!(self, Self::Away(_))
    }

    /// Whether a write that ended so may have taken effect nonetheless: what it names must not be removed.
    pub const fn leaves_open(&self) -> bool {
        matches!(self, Self::Away(_) | Self::Engine(_))
    }
}

/// Why a folder or a database did not open as a store.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process holds the folder.
    #[error("another process holds this data folder")]
    Locked,
    /// The store was written by a newer program.
    #[error("the store has format {found}; this program reads up to {known}")]
    NewerFormat {
        /// The store's format.
        found: u32,
        /// The newest format that this program knows.
        known: u32,
    },
    /// The folder holds something that is not a store of this program.
    #[error("the data folder is not a store of this program")]
    NotAStore,
    /// The database has no tables of a store, and was not to be changed.
    #[error("the database holds no store of this program")]
    Missing,
    /// The folder can't be made, read or written.
    #[error("the data folder can't be used: {0}")]
    Io(#[from] std::io::Error),
    /// The database can't be used as it was asked for.
    #[error("the database can't be used so: {0}")]
    Options(String),
    /// The database can't be reached, refuses this user, or takes no writes.
    #[error("the database can't be reached: {0}")]
    Away(Arc<str>),
    /// The engine refused.
    #[error("the store can't be opened: {0}")]
    Engine(Box<dyn std::error::Error + Send + Sync>),
}
