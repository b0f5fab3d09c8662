//! A power cut for any program: a library to preload that keeps a mirror of what the disk would hold.
//!
//! A kill leaves the page cache alone, so it can't show that a flush was forgotten. With
//! `LD_PRELOAD=libpowercut.so MIRROR_FROM=DATA MIRROR_TO=MIRROR` the program works on `DATA` as ever, and the
//! mirror gets a file's content only when that file is synced, and a folder's entries only when that folder is.
//! After a kill, `cp -rL MIRROR/root COPY` gives the folder as after a power cut. What stood in `DATA` before
//! the first program began counts as durable. `POWERCUT_LIES=1` makes every sync answer success and do nothing:
//! then a test of durability must fail.
//!
//! Layout: `MIRROR/inodes/ID` holds contents, `MIRROR/folders/ID` entries (files as hard links to contents,
//! folders as symbolic links), where ID is the inode's number and birth time; `MIRROR/root` links to `DATA`'s.
//! Nothing is learned from renames, unlinks and the like: a synced folder is compared with its mirror.
//!
//! Not seen: writes through `mmap` (counted at a file's first sync only) and syncs by raw system calls (which
//! only makes a test stricter). `sync_file_range` makes nothing durable, and so does nothing here.

#![expect(unsafe_code, reason = "standing in for functions of the C library can't be done without")]

#[path = "preload/hooks.rs"]
mod hooks;
#[path = "preload/identity.rs"]
mod identity;
#[path = "preload/mirror.rs"]
mod mirror;
#[path = "preload/written.rs"]
mod written;
