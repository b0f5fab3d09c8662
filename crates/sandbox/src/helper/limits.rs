//! rlimits: what bounds one process where nothing bounds the tree.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::step::{Failure, step};
use crate::orders::Orders;
use crate::process_tree::MOST_PROCESSES;

/// Open files, as on AWS.
const OPEN_FILES: u64 = 1_024;
/// Locked memory.
const LOCKED_BYTES: u64 = 64 * 1_024;

pub(super) fn set(orders: &Orders) -> Result<(), Failure> {
    lower(Resource::Core, 0)?;
    lower(Resource::Nofile, OPEN_FILES)?;
    lower(Resource::Memlock, LOCKED_BYTES)?;
    lower(Resource::Msgqueue, 0)?;
    lower(Resource::Fsize, orders.tmp_bytes)?;
    lower(Resource::Nproc, processes(orders))
}

/// The bound of the program's own data, just before it begins: the helper's allocator may have reserved more than
/// that for itself, and could then do nothing more.
pub(super) fn bound_data(orders: &Orders) -> Result<(), Failure> {
    orders.data_limit.map_or(Ok(()), |bytes| lower(Resource::Data, bytes))
}

/// Counted per user namespace, or per uid: in tier 1 that is Homeport's, with all its other processes.
fn processes(orders: &Orders) -> u64 {
    let others = if orders.tier.has_namespaces() { 0 } else { threads_of_own_uid() };
    others + MOST_PROCESSES as u64
}

fn threads_of_own_uid() -> u64 {
    let own = rustix::process::getuid().as_raw().to_string();
    let Ok(processes) = std::fs::read_dir("/proc") else {
        return 0;
    };
    let threads = |status: String| {
        let field =
            |name: &str| status.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next());
        if field("Uid:")? == own { field("Threads:")?.parse::<u64>().ok() } else { None }
    };
    processes
        .flatten()
        .filter_map(|process| std::fs::read_to_string(process.path().join("status")).ok())
        .filter_map(threads)
        .sum()
}

fn lower(resource: Resource, to: u64) -> Result<(), Failure> {
    let hard = getrlimit(resource).maximum;
    let to = hard.map_or(to, |hard| hard.min(to));
    step("set a limit", setrlimit(resource, Rlimit { current: Some(to), maximum: Some(to) }))
}
