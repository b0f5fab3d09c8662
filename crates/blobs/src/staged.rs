//! The folder itself: its mode, its part folders, and the half-written files that a crash leaves.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

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
    pub(crate) fn make(root: &Path) -> io::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(root)?;
        if let Some(above) = root.parent().filter(|above| !above.as_os_str().is_empty()) {
            File::open(above)?.sync_all()?;
        }
        Ok(Self { root: root.to_owned(), durable: Mutex::default() })
    }

    /// Makes a folder below, such that a power cut leaves it there. Blocks.
    pub(crate) fn make_below(&self, relative: &Path) -> io::Result<()> {
        if self.durable.lock().unwrap_or_else(PoisonError::into_inner).contains(relative) {
            return Ok(());
        }
        let folder = self.root.join(relative);
        fs::create_dir_all(&folder)?;
        for above in folder.ancestors().skip(1).take(relative.components().count()) {
            File::open(above)?.sync_all()?;
        }
        self.durable.lock().unwrap_or_else(PoisonError::into_inner).insert(relative.to_owned());
        Ok(())
    }
}

/// What is being written has a `#` in its file name until it is whole.
pub(crate) fn remove_half_written(folder: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_half_written(&entry.path())?;
        } else if entry.file_name().to_string_lossy().contains('#') {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
