use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use fjall::compaction::Leveled;
use fjall::config::{PartitioningPolicy, PinningPolicy};
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};

use super::{EmbeddedOptions, journal};
use crate::OpenError;

/// The format of folders that this program writes.
const FORMAT: u32 = 1;
const FORMAT_FILE: &str = "format";
/// There from before the first start's first file until the folder has its format.
const MAKING_FILE: &str = "making";
const LOCK_FILE: &str = "lock";
const DATA_FOLDER: &str = "keyspace";
const KEYSPACE: &str = "rows";
/// Where fjall keeps the folders of its keyspaces.
const FJALL_KEYSPACES: &str = "keyspaces";
/// What fjall writes last when it makes a database.
const FJALL_MARKER: &str = "version";
/// The row that holds the last commit's number. No other key begins with this byte.
pub(super) const VERSION_KEY: &[u8] = &[0];

/// The folder's lock: held as long as this lives, given free by the system when the process ends.
pub(super) struct Held(#[expect(dead_code, reason = "the open file is the lock")] File);

pub(super) struct Opened {
    pub(super) database: Database,
    pub(super) keyspace: Keyspace,
    /// The last commit's number.
    pub(super) version: u64,
}

/// Opens the folder, or makes it.
pub(super) fn open(folder: &Path, options: &EmbeddedOptions) -> Result<(Held, Opened), OpenError> {
    fs::create_dir_all(folder)?;
    let held = lock(folder)?;
    let known = check_format(folder)?;
    let data = folder.join(DATA_FOLDER);
    let making = folder.join(MAKING_FILE);
    if !known && (making.try_exists()? || !data.join(FJALL_MARKER).try_exists()?) {
        begin_anew(folder, &making, &data)?;
    }
    let opened = match open_data(&data, options) {
        Err(fjall::Error::JournalRecovery(_)) if known && journal::cut_torn_group(&data)? => {
            tracing::warn!("the journal's last group was torn, and so never acknowledged: it is cut off");
            open_data(&data, options)
        }
        opened => opened,
    };
    let opened = opened.map_err(|error| match error {
        fjall::Error::Locked => OpenError::Locked,
        error => OpenError::Engine(Box::new(error)),
    })?;
    if !known {
        // fjall syncs this folder before it makes the keyspaces' own in it, and not again.
        File::open(data.join(FJALL_KEYSPACES))?.sync_all()?;
        write_format(folder)?;
    }
    if making.try_exists()? {
        fs::remove_file(&making)?;
    }
    Ok((held, opened))
}

/// Makes way for a first start. If one was cut off before, nothing was ever acknowledged, and fjall may not go on from
/// what it left, or even end the process over it. The mark is durable before anything else is there or goes.
fn begin_anew(folder: &Path, making: &Path, data: &Path) -> io::Result<()> {
    File::create(making)?.sync_all()?;
    File::open(folder)?.sync_all()?;
    if data.try_exists()? { fs::remove_dir_all(data) } else { Ok(()) }
}

fn lock(folder: &Path) -> Result<Held, OpenError> {
    let file = File::options().create(true).truncate(false).write(true).open(folder.join(LOCK_FILE))?;
    match file.try_lock() {
        Ok(()) => Ok(Held(file)),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// Whether the folder was made completely, by a program that this one understands.
fn check_format(folder: &Path) -> Result<bool, OpenError> {
    let text = match fs::read_to_string(folder.join(FORMAT_FILE)) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    let found = text.trim().parse().map_err(|_| OpenError::NotAStore)?;
    if found > FORMAT { Err(OpenError::NewerFormat { found, known: FORMAT }) } else { Ok(true) }
}

/// Written last, so that a folder with a format is a whole one.
fn write_format(folder: &Path) -> io::Result<()> {
    let unfinished = folder.join("format.new");
    let mut file = File::create(&unfinished)?;
    writeln!(file, "{FORMAT}")?;
    file.sync_all()?;
    fs::rename(&unfinished, folder.join(FORMAT_FILE))?;
    File::open(folder)?.sync_all()?;
    match folder.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}

fn open_data(data: &Path, options: &EmbeddedOptions) -> fjall::Result<Opened> {
    // One worker: of several, fjall's first spins on the queue for as long as another merges files.
    let database = Database::builder(data).cache_size(options.block_cache_bytes).worker_threads(1).open()?;
    let keyspace = database.keyspace(KEYSPACE, || {
        // From the second level on, which has most of the rows, a file's index and filter are read by pieces: whole, an
        // index is a megabyte, and a cache would hold few of them.
        let by_pieces = || PartitioningPolicy::new([false, false, true]);
        // A merge takes one file and some ten of the next level, and while the worker merges no memtable becomes a file:
        // of fjall's own 64 MiB that would be seconds.
        let merging = Leveled::default().with_table_target_size(options.file_bytes);
        KeyspaceCreateOptions::default()
            // The committer sets full memtables aside.
            .max_memtable_size(u64::MAX)
            .compaction_strategy(Arc::new(merging))
            .index_block_partitioning_policy(by_pieces())
            .filter_block_partitioning_policy(by_pieces())
            .filter_block_pinning_policy(PinningPolicy::new([true, true, false]))
    })?;
    let version = keyspace.get(VERSION_KEY)?;
    let version = version.and_then(|value| value.as_ref().try_into().ok()).map_or(0, u64::from_be_bytes);
    // What the journal's replay shows may have been written without a flush, if it was cut off in between:
    // it must be durable before anyone sees it.
    database.persist(PersistMode::SyncAll)?;
    Ok(Opened { database, keyspace, version })
}
