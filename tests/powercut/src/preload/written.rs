//! Which parts of a file were written since it was synced last.

use std::collections::HashMap;
use std::os::fd::RawFd;
use std::sync::{LazyLock, Mutex, PoisonError};

use crate::identity;

/// What a sync has to copy.
#[derive(Debug)]
pub(crate) enum Written {
    Whole,
    Parts(Vec<(u64, u64)>),
}

/// Files that were synced before, by inode; any other is copied whole.
static SINCE: LazyLock<Mutex<HashMap<u64, Written>>> = LazyLock::new(Mutex::default);

/// `done` bytes were written up to where the file's position now stands.
pub(crate) fn behind_position(fd: RawFd, done: isize) {
    // SAFETY: moves nothing.
    let end = unsafe { libc::lseek64(fd, 0, libc::SEEK_CUR) };
    at(fd, end - done as i64, done);
}

/// `done` bytes were written at `at`.
pub(crate) fn at(fd: RawFd, at: i64, done: isize) {
    let (Ok(from), Ok(length)) = (u64::try_from(at), u64::try_from(done)) else { return };
    with_known(fd, |written| {
        let Written::Parts(parts) = written else { return };
        match parts.last_mut().filter(|(_, end)| *end == from) {
            Some(last) => last.1 += length,
            None => parts.push((from, from + length)),
        }
    });
}

/// Something was written somewhere.
pub(crate) fn anywhere(fd: RawFd) {
    with_known(fd, |written| *written = Written::Whole);
}

fn with_known(fd: RawFd, note: impl FnOnce(&mut Written)) {
    let Some(inode) = identity::inode_of_regular(fd) else { return };
    let mut since = SINCE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(written) = since.get_mut(&inode) {
        note(written);
    }
}

/// What was written since the last time this was asked.
pub(crate) fn take(fd: RawFd) -> Written {
    let Some(inode) = identity::inode_of_regular(fd) else { return Written::Whole };
    let mut since = SINCE.lock().unwrap_or_else(PoisonError::into_inner);
    since.insert(inode, Written::Parts(Vec::new())).unwrap_or(Written::Whole)
}
