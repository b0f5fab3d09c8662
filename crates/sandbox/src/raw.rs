//! The calls into Linux that no safe wrapper offers. Each block says why it is sound; nothing here decides anything.

use std::ffi::{CString, c_char, c_int};
use std::io;
use std::mem;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::process::Pid;
use rustix::thread::UnshareFlags;

/// Which side of a fork this is.
pub(crate) enum Forked {
    Parent(Pid),
    Child,
}

/// Forks. Only for the helper, which has a single thread.
pub(crate) fn fork() -> io::Result<Forked> {
    #[expect(unsafe_code, reason = "fork has no safe wrapper")]
    // SAFETY: the helper has one thread, so no lock can be held by a thread that the child lacks.
    let pid = unsafe { libc::fork() };
    match pid {
        0 => Ok(Forked::Child),
        pid if pid > 0 => Pid::from_raw(pid).map(Forked::Parent).ok_or_else(io::Error::last_os_error),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Closes every descriptor from `first` on, whoever opened it.
pub(crate) fn close_from(first: u32) -> io::Result<()> {
    #[expect(unsafe_code, reason = "close_range has no safe wrapper")]
    // SAFETY: called before any owner of a descriptor at or above `first` exists in this process.
    let done = unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, 0) };
    succeeded(done)
}

/// Leaves the namespaces named by `flags` for new ones. Only for the helper, and never with `FILES`.
pub(crate) fn unshare(flags: UnshareFlags) -> io::Result<()> {
    debug_assert!(!flags.contains(UnshareFlags::FILES));
    #[expect(unsafe_code, reason = "unshare is unsafe because of FILES")]
    // SAFETY: only FILES can take descriptors from another thread, and there is no other thread.
    let done = unsafe { rustix::thread::unshare_unsafe(flags) };
    Ok(done?)
}

/// Makes the mount at `path` (with `recursive`, those below it too) read-only, without set-user-id programs.
pub(crate) fn make_read_only(path: &Path, recursive: bool) -> io::Result<()> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    let attributes = libc::mount_attr {
        attr_set: libc::MOUNT_ATTR_RDONLY | libc::MOUNT_ATTR_NOSUID,
        attr_clr: 0,
        propagation: 0,
        userns_fd: 0,
    };
    let flags = if recursive { libc::AT_RECURSIVE } else { 0 };
    #[expect(unsafe_code, reason = "mount_setattr has no safe wrapper")]
    // SAFETY: `path` is a C string and `attributes` a whole mount_attr of the size that is passed; both outlive the call.
    let done = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            libc::AT_FDCWD,
            path.as_ptr(),
            flags,
            &raw const attributes,
            mem::size_of::<libc::mount_attr>(),
        )
    };
    succeeded(done)
}

/// Brings up the loopback device of this network namespace.
pub(crate) fn bring_loopback_up() -> io::Result<()> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0")?;
    let mut name = [0 as c_char; libc::IFNAMSIZ];
    name[0] = b'l'.cast_signed();
    name[1] = b'o'.cast_signed();
    let flags = libc::__c_anonymous_ifr_ifru {
        #[expect(clippy::cast_possible_truncation, reason = "interface flags are a short")]
        ifru_flags: (libc::IFF_UP | libc::IFF_RUNNING) as i16,
    };
    let request = libc::ifreq { ifr_name: name, ifr_ifru: flags };
    #[expect(unsafe_code, reason = "this ioctl has no safe wrapper")]
    // SAFETY: SIOCSIFFLAGS reads one ifreq, which outlives the call.
    let done = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) };
    succeeded(done.into())
}

/// Tries a system call with arguments that could do no harm if it were let through: the self-test of the deny list.
pub(crate) fn try_call(number: i64, arguments: [i64; 3]) -> io::Result<()> {
    #[expect(unsafe_code, reason = "a raw system call")]
    // SAFETY: the self-test passes only numbers and null pointers to calls that then change no memory.
    let done = unsafe { libc::syscall(number, arguments[0], arguments[1], arguments[2]) };
    succeeded(done)
}

/// Ends this process without running anything that was set up for its end: what a forked child must use.
pub(crate) fn exit_now(status: c_int) -> ! {
    #[expect(unsafe_code, reason = "_exit has no safe wrapper")]
    // SAFETY: _exit is always sound.
    unsafe {
        libc::_exit(status)
    }
}

fn succeeded(done: i64) -> io::Result<()> {
    if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
