//! The file tree a function sees: a small read-only root made of the machine's programs and libraries, its own code,
//! a `/proc` of its own and a `/tmp` of a stated size. What isn't named here doesn't exist inside.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind, mount_bind_recursive, mount_change,
    unmount,
};

use super::privileges::{INSIDE_GID, INSIDE_UID};
use super::step::{Failure, step, step_on};
use crate::Mount;
use crate::orders::Orders;
use crate::raw;

/// Where the machine's own root hangs until the view stands.
const OUTSIDE: &str = "/outside";

const PROGRAMS: [&str; 7] = ["usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32"];
const SETTINGS: [&str; 14] = [
    "ssl",
    "ca-certificates",
    "pki",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "alternatives",
    "localtime",
    "nsswitch.conf",
    "host.conf",
    "gai.conf",
    "mime.types",
    "protocols",
    "services",
];
const DEVICES: [&str; 5] = ["null", "zero", "full", "random", "urandom"];

pub(super) fn build(orders: &Orders) -> Result<(), Failure> {
    step(
        "keep mounts to itself",
        mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC),
    )?;
    enter_an_empty_root()?;
    for name in PROGRAMS {
        take_over(&Path::new("/").join(name), &orders.hidden)?;
    }
    for name in SETTINGS {
        take_over(&Path::new("/etc").join(name), &orders.hidden)?;
    }
    for folder in ["/var/task", "/var/runtime", "/opt"] {
        step_on("make a folder", folder, fs::create_dir_all(folder))?;
    }
    for wanted in &orders.mounts {
        bind(wanted, &orders.hidden)?;
    }
    write_names(orders)?;
    devices()?;
    proc_and_tmp(orders)?;
    step("let go of the machine's files", unmount(OUTSIDE, UnmountFlags::DETACH))?;
    step("let go of the machine's files", fs::remove_dir(OUTSIDE))?;
    step("make the root read-only", raw::make_read_only(Path::new("/"), false))
}

/// Any folder will do to begin on: `/tmp` is always there, and what lies below it stays reachable from outside.
fn enter_an_empty_root() -> Result<(), Failure> {
    step(
        "mount a root",
        mount("root", "/tmp", "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, c"size=1m,mode=755"),
    )?;
    let outside = Path::new("/tmp").join(OUTSIDE.trim_start_matches('/'));
    step("make a folder", fs::create_dir(&outside))?;
    step("change the root", rustix::process::pivot_root("/tmp", &outside))?;
    step("enter the root", rustix::process::chdir("/"))
}

fn outside(path: &Path) -> PathBuf {
    Path::new(OUTSIDE).join(path.strip_prefix("/").unwrap_or(path))
}

/// What is a link outside is the same link inside; what isn't there isn't missed.
fn take_over(path: &Path, hidden: &[PathBuf]) -> Result<(), Failure> {
    let Ok(found) = fs::symlink_metadata(outside(path)) else {
        return Ok(());
    };
    if !found.is_symlink() {
        return bind(&Mount { from: path.to_owned(), at: path.to_owned() }, hidden);
    }
    if let Some(parent) = path.parent() {
        step_on("make a folder", parent, fs::create_dir_all(parent))?;
    }
    let target = step_on("read a link", path, fs::read_link(outside(path)))?;
    step_on("make a link", path, symlink(target, path))
}

fn bind(wanted: &Mount, hidden: &[PathBuf]) -> Result<(), Failure> {
    let from = outside(&wanted.from);
    step_on("make a place for", &wanted.at, make_place(&from, &wanted.at))?;
    step_on("mount", &wanted.from, mount_bind_recursive(&from, &wanted.at).map_err(io::Error::from))?;
    for secret in hidden {
        if let Ok(rest) = secret.strip_prefix(&wanted.from) {
            cover(&wanted.at.join(rest))?;
        }
    }
    step_on("make read-only", &wanted.at, raw::make_read_only(&wanted.at, true))
}

fn make_place(from: &Path, at: &Path) -> io::Result<()> {
    if fs::metadata(from)?.is_dir() {
        return fs::create_dir_all(at);
    }
    if let Some(parent) = at.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(at, [])
}

/// Something of Homeport's lies below a folder that the function may read: nothing is there instead.
fn cover(path: &Path) -> Result<(), Failure> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => {
            let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::RDONLY;
            step_on(
                "cover",
                path,
                mount("nothing", path, "tmpfs", flags, c"size=4k,mode=555").map_err(io::Error::from),
            )
        }
        Ok(_) => {
            step_on("cover", path, mount_bind(outside(Path::new("/dev/null")), path).map_err(io::Error::from))
        }
        Err(_) => Ok(()),
    }
}

fn write_names(orders: &Orders) -> Result<(), Failure> {
    let (uid, gid) = orders.uid.map_or((INSIDE_UID, INSIDE_GID), |uid| (uid, uid));
    let mut hosts = "127.0.0.1 localhost\n::1 localhost\n".to_owned();
    for name in &orders.hosts {
        hosts.push_str(&format!("127.0.0.1 {name}\n"));
    }
    let files = [
        (
            "/etc/passwd",
            format!(
                "root:x:0:0:root:/root:/sbin/nologin\nsbx_user1051:x:{uid}:{gid}::/home/sbx_user1051:/sbin/nologin\n"
            ),
        ),
        ("/etc/group", format!("root:x:0:\nsbx_user1051:x:{gid}:\n")),
        ("/etc/hosts", hosts),
        ("/etc/hostname", "function\n".to_owned()),
        ("/etc/resolv.conf", String::new()),
    ];
    for (path, text) in files {
        step_on("make a folder", "/etc", fs::create_dir_all("/etc"))?;
        step_on("write", path, fs::write(path, text))?;
    }
    Ok(())
}

fn devices() -> Result<(), Failure> {
    step("make /dev", fs::create_dir_all("/dev"))?;
    for name in DEVICES {
        let at = Path::new("/dev").join(name);
        step_on("make a place for", &at, fs::write(&at, []))?;
        step_on("mount", &at, mount_bind(outside(&at), &at).map_err(io::Error::from))?;
    }
    for (name, target) in [("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")]
    {
        step_on("make a link", name, symlink(target, Path::new("/dev").join(name)))?;
    }
    Ok(())
}

fn proc_and_tmp(orders: &Orders) -> Result<(), Failure> {
    let careful = MountFlags::NOSUID | MountFlags::NODEV;
    step("make /proc", fs::create_dir_all("/proc"))?;
    step("mount /proc", mount("proc", "/proc", "proc", careful | MountFlags::NOEXEC, None))?;
    step("make /tmp", fs::create_dir_all("/tmp"))?;
    let size = format!("size={},mode=1777", orders.tmp_bytes);
    let size = step("size /tmp", std::ffi::CString::new(size))?;
    step("mount /tmp", mount("tmp", "/tmp", "tmpfs", careful, size.as_c_str()))?;
    step("open /tmp", fs::set_permissions("/tmp", fs::Permissions::from_mode(0o1777)))
}
