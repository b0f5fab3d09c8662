//! An installation on its way: to another store (`homeport move`), into a file (`homeport backup`) and out of it
//! (`homeport restore`).
//!
//! Rows go raw and in the order of keys, blobs as they lie. The installation's own record is written last, in the
//! transaction that takes the mark of an unfinished store away: until then no server starts on it.

mod backup;
mod blobs;
mod copy;
mod file;
mod frames;
mod hold;
mod place;
mod progress;
mod restore;
mod rows;
mod unfinished;

use std::path::PathBuf;

use homeport_blobs::BlobError;
use homeport_store::{OpenError, StoreError};

pub(crate) use backup::{Beside, Kept, back_up};
pub(crate) use copy::move_all;
pub(crate) use file::partial_of;
pub(crate) use hold::is_held;
pub(crate) use place::{Opened, Place, Purpose, With};
pub(crate) use progress::Progress;
pub(crate) use restore::restore;

/// Why an installation did not arrive.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MovingError {
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("{0}")]
    Blobs(#[from] BlobError),
    #[error("{place} can't be opened: {source}")]
    Open { place: String, source: OpenError },
    #[error("{place} is held by another Homeport: it must be stopped first")]
    Held { place: String },
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error("{0}")]
    Place(String),
    #[error("{place} holds no installation{hint}")]
    NoInstallation { place: String, hint: &'static str },
    #[error("{nodes} other processes use {place}: stop all nodes on it first")]
    InUse { place: String, nodes: usize },
    #[error("{place} holds an installation already: nothing is written over it")]
    Taken { place: String },
    #[error("{place} is not empty ({what}): nothing is written over it")]
    NotEmpty { place: String, what: &'static str },
    #[error("{place} holds the unfinished copy of another installation: empty it, or choose another place")]
    OtherUnfinished { place: String },
    #[error("another move or restore has gone on in this place meanwhile; this one ends")]
    TakenOver,
    #[error("{place} was changed while it was moved: stop all nodes on it and run the same again")]
    SourceChanged { place: String },
    #[error(
        "what arrived in {place} is not what was sent ({what}): run the same again with the place emptied"
    )]
    NotTheSame { place: String, what: String },
    #[error(
        "the nodes did not keep all blobs during the backup: run it again, and see that their clocks are right"
    )]
    HoldLost,
    #[error("{} is there already: choose another name", .0.display())]
    FileThere(PathBuf),
    #[error("{} is another backup's that is being written, or somebody else's: choose another name", .0.display())]
    FileBusy(PathBuf),
    #[error("{} names no file", .0.display())]
    NoFile(PathBuf),
    #[error("blob {0} did not stay as it was listed: run the backup again")]
    BlobChanged(homeport_blobs::BlobId),
    #[error("{} is no backup of Homeport", .0.display())]
    NoBackup(PathBuf),
    #[error("{} is of format {found}, which is not this program's: restore it with the version that wrote it", path.display())]
    OtherFormat { path: PathBuf, found: u32 },
    #[error("{} was written by Homeport {found}, which is newer than this program: restore it with that version", path.display())]
    NewerProgram { path: PathBuf, found: String },
    #[error("{} is damaged: {what}. Nothing of it can be used", path.display())]
    Damaged { path: PathBuf, what: &'static str },
}

#[cfg(test)]
mod tests;
