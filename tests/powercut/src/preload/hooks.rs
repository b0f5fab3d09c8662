//! The functions of the C library that are stood in for. Each calls the real one.

use std::cell::Cell;
use std::ffi::{CStr, c_int, c_void};
use std::sync::OnceLock;

use libc::{iovec, off_t, off64_t, size_t, ssize_t};

use crate::{mirror, written};

thread_local! {
    /// Set while the library itself works, whose own writes are not the program's.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work` unless the library itself is calling.
fn outside(work: impl FnOnce()) {
    if INSIDE.try_with(|inside| inside.replace(true)).is_ok_and(|inside| !inside) {
        work();
        let _ = INSIDE.try_with(|inside| inside.set(false));
    }
}

/// The next definition of a function behind this library's.
struct Real {
    name: &'static CStr,
    address: OnceLock<usize>,
}

impl Real {
    const fn named(name: &'static CStr) -> Self {
        Self { name, address: OnceLock::new() }
    }

    fn address(&self) -> usize {
        *self.address.get_or_init(|| {
            // SAFETY: the name is a C string, and RTLD_NEXT needs nothing else.
            unsafe { libc::dlsym(libc::RTLD_NEXT, self.name.as_ptr()) as usize }
        })
    }
}

type Write = unsafe extern "C" fn(c_int, *const c_void, size_t) -> ssize_t;
type WriteV = unsafe extern "C" fn(c_int, *const iovec, c_int) -> ssize_t;
type PWrite = unsafe extern "C" fn(c_int, *const c_void, size_t, off64_t) -> ssize_t;
type FTruncate = unsafe extern "C" fn(c_int, off64_t) -> c_int;
type CopyFileRange =
    unsafe extern "C" fn(c_int, *mut off64_t, c_int, *mut off64_t, size_t, libc::c_uint) -> ssize_t;
type SendFile = unsafe extern "C" fn(c_int, c_int, *mut off64_t, size_t) -> ssize_t;

static WRITE: Real = Real::named(c"write");
static WRITEV: Real = Real::named(c"writev");
static PWRITE: Real = Real::named(c"pwrite64");
static FTRUNCATE: Real = Real::named(c"ftruncate64");
static COPY_FILE_RANGE: Real = Real::named(c"copy_file_range");
static SENDFILE: Real = Real::named(c"sendfile64");

/// `write(2)`.
///
/// # Safety
/// As the real one.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn write(fd: c_int, from: *const c_void, count: size_t) -> ssize_t {
    // SAFETY: the C library's function of this name has this type; the arguments are passed on.
    let real: Write = unsafe { std::mem::transmute(WRITE.address()) };
    // SAFETY: as the caller promised.
    let done = unsafe { real(fd, from, count) };
    outside(|| written::behind_position(fd, done));
    done
}

/// `writev(2)`.
///
/// # Safety
/// As the real one.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn writev(fd: c_int, from: *const iovec, count: c_int) -> ssize_t {
    // SAFETY: the C library's function of this name has this type; the arguments are passed on.
    let real: WriteV = unsafe { std::mem::transmute(WRITEV.address()) };
    // SAFETY: as the caller promised.
    let done = unsafe { real(fd, from, count) };
    outside(|| written::behind_position(fd, done));
    done
}

/// `pwrite(2)`.
///
/// # Safety
/// As the real one.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn pwrite(fd: c_int, from: *const c_void, count: size_t, at: off_t) -> ssize_t {
    // SAFETY: as the caller promised.
    unsafe { pwrite64(fd, from, count, at) }
}

/// `pwrite(2)` with a 64-bit offset.
///
/// # Safety
/// As the real one.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn pwrite64(
    fd: c_int,
    from: *const c_void,
    count: size_t,
    at: off64_t,
) -> ssize_t {
    // SAFETY: the C library's function of this name has this type; the arguments are passed on.
    let real: PWrite = unsafe { std::mem::transmute(PWRITE.address()) };
    // SAFETY: as the caller promised.
    let done = unsafe { real(fd, from, count, at) };
    outside(|| written::at(fd, at, done));
    done
}

/// `ftruncate(2)`.
///
/// # Safety
/// As the real one.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn ftruncate(fd: c_int, length: off_t) -> c_int {
    // SAFETY: as the caller promised.
    unsafe { ftruncate64(fd, length) }
}

/// `ftruncate(2)` with a 64-bit length.
///
/// # Safety
/// As the real one.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn ftruncate64(fd: c_int, length: off64_t) -> c_int {
    // SAFETY: the C library's function of this name has this type; the arguments are passed on.
    let real: FTruncate = unsafe { std::mem::transmute(FTRUNCATE.address()) };
    outside(|| written::anywhere(fd));
    // SAFETY: as the caller promised.
    unsafe { real(fd, length) }
}

/// `copy_file_range(2)`.
///
/// # Safety
/// As the real one.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn copy_file_range(
    from: c_int,
    from_at: *mut off64_t,
    to: c_int,
    to_at: *mut off64_t,
    count: size_t,
    flags: libc::c_uint,
) -> ssize_t {
    // SAFETY: the C library's function of this name has this type; the arguments are passed on.
    let real: CopyFileRange = unsafe { std::mem::transmute(COPY_FILE_RANGE.address()) };
    outside(|| written::anywhere(to));
    // SAFETY: as the caller promised.
    unsafe { real(from, from_at, to, to_at, count, flags) }
}

/// `sendfile(2)`.
///
/// # Safety
/// As the real one.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn sendfile64(
    to: c_int,
    from: c_int,
    at: *mut off64_t,
    count: size_t,
) -> ssize_t {
    // SAFETY: the C library's function of this name has this type; the arguments are passed on.
    let real: SendFile = unsafe { std::mem::transmute(SENDFILE.address()) };
    outside(|| written::anywhere(to));
    // SAFETY: as the caller promised.
    unsafe { real(to, from, at, count) }
}

/// `fsync(2)`: the mirror is the disk, so the real one is not called.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn fsync(fd: c_int) -> c_int {
    outside(|| mirror::sync(fd));
    0
}

/// `fdatasync(2)`, as [`fsync`].
#[unsafe(no_mangle)]
pub(crate) extern "C" fn fdatasync(fd: c_int) -> c_int {
    fsync(fd)
}
