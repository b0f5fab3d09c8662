//! What the disk would hold.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::{FileExt, MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};

use crate::identity;
use crate::written::{self, Written};

/// One sync at a time.
static MIRROR: LazyLock<Option<Mutex<Mirror>>> = LazyLock::new(|| Mirror::from_environment().map(Mutex::new));

struct Mirror {
    from: PathBuf,
    inodes: PathBuf,
    folders: PathBuf,
    root: PathBuf,
    lies: bool,
}

/// The program synced `fd`. A mirror that can't be kept ends the program, lest a test pass for nothing.
pub(crate) fn sync(fd: RawFd) {
    let Some(mirror) = &*MIRROR else { return };
    let mirror = mirror.lock().unwrap_or_else(PoisonError::into_inner);
    if let Err(error) = mirror.sync(fd) {
        eprintln!("powercut: the mirror can't be kept: {error}");
        std::process::abort();
    }
}

impl Mirror {
    #[expect(clippy::disallowed_methods, reason = "a preloaded library is told nothing in any other way")]
    fn from_environment() -> Option<Self> {
        let from = PathBuf::from(std::env::var_os("MIRROR_FROM")?);
        let to = PathBuf::from(std::env::var_os("MIRROR_TO")?);
        let mirror = Self {
            from,
            inodes: to.join("inodes"),
            folders: to.join("folders"),
            root: to.join("root"),
            lies: std::env::var_os("POWERCUT_LIES").is_some(),
        };
        let begun = if mirror.inodes.exists() { Ok(()) } else { mirror.begin() };
        if let Err(error) = begun {
            eprintln!("powercut: the mirror can't be made: {error}");
            std::process::abort();
        }
        Some(mirror)
    }

    /// What is there before the program begins counts as durable.
    fn begin(&self) -> io::Result<()> {
        fs::create_dir_all(&self.inodes)?;
        fs::create_dir_all(&self.folders)?;
        if self.from.exists() { self.sync_all(&self.from) } else { Ok(()) }
    }

    fn sync_all(&self, folder: &Path) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                self.sync_all(&entry.path())?;
            } else if entry.file_type()?.is_file() {
                self.sync_file(File::open(entry.path())?.as_raw_fd())?;
            }
        }
        self.sync_folder(folder)
    }

    fn sync(&self, fd: RawFd) -> io::Result<()> {
        let path = fs::read_link(format!("/proc/self/fd/{fd}"))?;
        if self.lies || !path.starts_with(&self.from) {
            return Ok(());
        }
        if path.is_dir() { self.sync_folder(&path) } else { self.sync_file(fd) }
    }

    fn sync_file(&self, fd: RawFd) -> io::Result<()> {
        let written = written::take(fd);
        // The program may have opened it for writing only.
        let source = File::open(format!("/proc/self/fd/{fd}"))?;
        let target = self.inode(&identity::of(fd)?)?;
        match written {
            Written::Whole => {
                let mut end = 0;
                while let Some((from, to)) = next_data(&source, end)? {
                    zero(&target, end, from)?;
                    copy(&source, &target, from, to)?;
                    end = to;
                }
                zero(&target, end, target.metadata()?.len())?;
            }
            Written::Parts(parts) => {
                parts.into_iter().try_for_each(|(from, to)| copy(&source, &target, from, to))?;
            }
        }
        target.set_len(source.metadata()?.len())
    }

    fn inode(&self, identity: &str) -> io::Result<File> {
        File::options().read(true).write(true).create(true).truncate(false).open(self.inodes.join(identity))
    }

    fn folder(&self, identity: &str) -> io::Result<PathBuf> {
        let folder = self.folders.join(identity);
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// Makes the mirror's entries those of the folder.
    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        let identity = identity::of_file(&File::open(path)?)?;
        let mirrored = self.folder(&identity)?;
        if path == self.from {
            link_folder(&identity, "folders", &self.root)?;
        }
        let mut names = HashSet::<OsString>::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            // Gone meanwhile: then the mirror need not have it either.
            let Ok(file) = File::open(entry.path()) else { continue };
            let identity = identity::of_file(&file)?;
            let place = mirrored.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                self.folder(&identity)?;
                link_folder(&identity, "..", &place)?;
            } else {
                self.inode(&identity)?;
                link_file(&self.inodes.join(&identity), &place)?;
            }
            names.insert(entry.file_name());
        }
        for entry in fs::read_dir(&mirrored)? {
            let entry = entry?;
            if !names.contains(&entry.file_name()) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

fn link_folder(identity: &str, above: &str, place: &Path) -> io::Result<()> {
    let target = Path::new(above).join(identity);
    if fs::read_link(place).is_ok_and(|now| now == target) {
        return Ok(());
    }
    replace(place, |fresh| symlink(&target, fresh))
}

fn link_file(inode: &Path, place: &Path) -> io::Result<()> {
    let wanted = fs::metadata(inode)?.ino();
    if fs::symlink_metadata(place).is_ok_and(|now| now.ino() == wanted) {
        return Ok(());
    }
    replace(place, |fresh| fs::hard_link(inode, fresh))
}

/// Puts something new at `place` in one step, as a rename on a disk is one.
fn replace(place: &Path, make: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    let mut fresh = place.as_os_str().to_owned();
    fresh.push(".powercut-new");
    let fresh = PathBuf::from(fresh);
    let _ = fs::remove_file(&fresh);
    make(&fresh)?;
    fs::rename(&fresh, place)
}

/// The next stretch of `file` that is no hole.
fn next_data(file: &File, from: u64) -> io::Result<Option<(u64, u64)>> {
    let seek = |from: i64, whence| {
        // SAFETY: moves the position of a file that only this library holds.
        unsafe { libc::lseek64(file.as_raw_fd(), from, whence) }
    };
    let start = seek(from.cast_signed(), libc::SEEK_DATA);
    if start < 0 {
        let error = io::Error::last_os_error();
        return if error.raw_os_error() == Some(libc::ENXIO) { Ok(None) } else { Err(error) };
    }
    let end = seek(start, libc::SEEK_HOLE);
    Ok(Some((start.cast_unsigned(), end.cast_unsigned())))
}

fn copy(source: &File, target: &File, from: u64, to: u64) -> io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    let mut at = from;
    while at < to {
        let want = usize::try_from(to - at).map_or(buffer.len(), |left| left.min(buffer.len()));
        let got = source.read_at(&mut buffer[..want], at)?;
        if got == 0 {
            return Ok(());
        }
        target.write_all_at(&buffer[..got], at)?;
        at += got as u64;
    }
    Ok(())
}

/// Makes a stretch zeros, as far as the mirror has anything there.
fn zero(target: &File, from: u64, to: u64) -> io::Result<()> {
    let to = to.min(target.metadata()?.len());
    let mut at = from;
    while let Some((start, end)) = next_data(target, at)?.filter(|(start, _)| *start < to) {
        let end = end.min(to);
        let zeros = vec![0; usize::try_from(end - start).unwrap_or(usize::MAX)];
        target.write_all_at(&zeros, start)?;
        at = end;
    }
    Ok(())
}
