use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, RawFd};

/// What tells a file from every other, also from a later one that is given its inode's number again.
pub(crate) fn of(fd: RawFd) -> io::Result<String> {
    let mut stat = MaybeUninit::<libc::statx>::zeroed();
    let mask = libc::STATX_INO | libc::STATX_BTIME;
    // SAFETY: the path is an empty C string, so the open file is meant; `stat` has room for the answer.
    let done = unsafe { libc::statx(fd, c"".as_ptr(), libc::AT_EMPTY_PATH, mask, stat.as_mut_ptr()) };
    if done != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: zeroed at first, then filled by the call that succeeded.
    let stat = unsafe { stat.assume_init() };
    Ok(format!("{}-{}-{}", stat.stx_ino, stat.stx_btime.tv_sec, stat.stx_btime.tv_nsec))
}

pub(crate) fn of_file(file: &File) -> io::Result<String> {
    of(file.as_raw_fd())
}

/// The inode's number, or `None` for what is no regular file.
pub(crate) fn inode_of_regular(fd: RawFd) -> Option<u64> {
    let mut stat = MaybeUninit::<libc::stat64>::zeroed();
    // SAFETY: `stat` has room for the answer.
    if unsafe { libc::fstat64(fd, stat.as_mut_ptr()) } != 0 {
        return None;
    }
    // SAFETY: zeroed at first, then filled by the call that succeeded.
    let stat = unsafe { stat.assume_init() };
    (stat.st_mode & libc::S_IFMT == libc::S_IFREG).then_some(stat.st_ino)
}
