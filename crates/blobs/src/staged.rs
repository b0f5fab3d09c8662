//! The folder itself: its mode, its part folders, and the half-written files that a crash leaves.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use crate::BlobId;

/// Folders of blobs whose own entries are on the disk, all the way up.
///
/// The blob store flushes the folders that it makes itself; but a writer that finds a folder another has just made
/// would be done before that one has flushed it. So whoever writes into a folder first flushes what is above it.
#[derive(Debug)]
pub(crate) struct Folders {
    root: PathBuf,
    /// At most 65,536 an owner.
    durable: Mutex<HashSet<PathBuf>>,
}

impl Folders {
    /// Makes the outermost folder, readable by its owner only.
    pub(crate) fn make(root: &Path) -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(root)?;
        if let Some(above) = root.parent().filter(|above| !above.as_os_str().is_empty()) {
            File::open(above)?.sync_all()?;
        }
        Ok(())
    }

    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root, durable: Mutex::default() }
    }

    /// An owner's folder, which need not be there.
    pub(crate) fn of(&self, owner: &str) -> PathBuf {
        self.root.join(owner)
    }

    /// Makes a folder below, such that a power cut leaves it there. Blocks.
    pub(crate) fn make_below(&self, relative: &Path) -> io::Result<()> {
        if self.durable.lock().unwrap_or_else(PoisonError::into_inner).contains(relative) {
            return Ok(());
        }
        let folder = self.root.join(relative);
        // The outermost one may be one that somebody else made, for others to look into; what is below is not theirs.
        fs::DirBuilder::new().recursive(true).mode(0o770).create(&folder)?;
        for above in folder.ancestors().skip(1).take(relative.components().count()) {
            File::open(above)?.sync_all()?;
        }
        self.durable.lock().unwrap_or_else(PoisonError::into_inner).insert(relative.to_owned());
        Ok(())
    }
}

/// Removes the half-written files that `dead` is true of, by when they were last written to. What another node removes
/// or finishes meanwhile is no error. Blocks.
pub(crate) fn remove_half_written(folder: &Path, dead: &dyn Fn(SystemTime) -> bool) -> io::Result<()> {
    let Some(entries) = unless_gone(fs::read_dir(folder))? else { return Ok(()) };
    for entry in entries {
        let entry = entry?;
        let Some(kind) = unless_gone(entry.file_type())? else { continue };
        if kind.is_dir() {
            remove_half_written(&entry.path(), dead)?;
        } else if is_half_written(&entry.file_name().to_string_lossy()) {
            let Some(metadata) = unless_gone(entry.metadata())? else { continue };
            if dead(metadata.modified()?) {
                unless_gone(fs::remove_file(entry.path()))?;
            }
        }
    }
    Ok(())
}

/// What is being written is called `ID#NUMBER` until it is whole.
fn is_half_written(name: &str) -> bool {
    name.split_once('#').is_some_and(|(id, _)| BlobId::parse(id).is_some())
}

fn unless_gone<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
