//! From what the helper may to nothing.

use std::fs;
use std::io;

use rustix::process::{Gid, Uid};
use rustix::thread::{
    CapabilitySet, CapabilitySets, clear_ambient_capability_set, remove_capability_from_bounding_set,
    set_capabilities, set_no_new_privs, set_thread_groups, set_thread_res_gid, set_thread_res_uid,
};

use super::step::{Failure, step};

/// The user a function finds itself to be, as on AWS (`sbx_user1051`).
pub(super) const INSIDE_UID: u32 = 993;
/// Its group.
pub(super) const INSIDE_GID: u32 = 990;

/// Makes Homeport's own user the function's inside the new user namespace.
pub(super) fn map_user(uid: u32, gid: u32) -> io::Result<()> {
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("{INSIDE_UID} {uid} 1"))?;
    fs::write("/proc/self/gid_map", format!("{INSIDE_GID} {gid} 1"))
}

/// Becomes `uid` (tier 3) and loses every capability and the way to any.
pub(super) fn become_user(uid: Option<u32>) -> Result<(), Failure> {
    empty_bounding_set();
    if let Some(uid) = uid {
        let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(uid));
        step("leave all groups", set_thread_groups(&[]))?;
        step("take the group", set_thread_res_gid(gid, gid, gid))?;
        step("take the user", set_thread_res_uid(uid, uid, uid))?;
    }
    give_up_capabilities()
}

/// No capability in any set, and no new privileges by exec.
pub(super) fn give_up_capabilities() -> Result<(), Failure> {
    empty_bounding_set();
    let none = CapabilitySet::empty();
    step("clear ambient capabilities", clear_ambient_capability_set())?;
    step(
        "give up capabilities",
        set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none }),
    )?;
    step("take no new privileges", set_no_new_privs(true))
}

/// Needs CAP_SETPCAP; without it there is nothing in the set that could be regained under no_new_privs.
fn empty_bounding_set() {
    for bit in 0..64 {
        let one = CapabilitySet::from_bits_retain(1 << bit);
        if remove_capability_from_bounding_set(one).is_err() {
            break;
        }
    }
}
