//! What the probe does inside a sandbox before it believes in it.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use super::step::{Failure, step};
use super::writable_folder;
use crate::orders::Orders;
use crate::raw;

pub(super) fn run(orders: &Orders, unreadable: &Path, unlisted_port: u16) -> Result<(), Failure> {
    step("write to /tmp", fs::write(writable_folder(orders).join("probe"), b"probe"))?;
    step("read /proc/self/status", fs::read("/proc/self/status"))?;
    step("read /proc/meminfo", fs::read("/proc/meminfo"))?;
    let started =
        step("start a process", Command::new("/bin/sh").args(["-c", "exit 7"]).env_clear().status())?;
    held("start a process", started.code() == Some(7))?;
    for listener in &orders.listen {
        step("reach the relay", TcpStream::connect(listener))?;
    }
    held(
        "hide a file of the parent's",
        fs::read(unreadable).is_err() && fs::metadata(unreadable).is_err() == orders.tier.has_namespaces(),
    )?;
    held("refuse an unlisted port", TcpStream::connect(("127.0.0.1", unlisted_port)).is_err())?;
    held(
        "refuse new namespaces",
        raw::try_call(libc::SYS_unshare, [libc::CLONE_NEWUSER.into(), 0, 0]).is_err(),
    )?;
    held("refuse keyctl", raw::try_call(libc::SYS_keyctl, [0, -3, 0]).is_err())
}

fn held(what: &'static str, holds: bool) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(Failure::of(what)) }
}
