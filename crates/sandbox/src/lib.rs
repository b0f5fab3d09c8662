//! What confines a function: one process tree that sees its own code, its own `/tmp` and its own addresses, and nothing
//! of Homeport, of the machine's owner or of any other function.
//!
//! Start with [`Tier`] (how strongly this machine can confine, found by [`Spawner::probe`] by doing it) and [`Launch`]
//! (what one execution environment asks for). [`Spawner::launch`] starts the program again as its own helper
//! ([`sandbox_exec_main`]), because namespaces, Landlock and seccomp can be put on safely only from a process that has a
//! single thread; the helper confines itself step by step and then becomes the function.
//!
//! Everything of Linux that no safe wrapper offers is in `raw.rs`: the only unsafe blocks of the house.

mod cgroup;
mod channel;
mod error;
mod helper;
mod launch;
mod orders;
mod process_tree;
mod raw;
mod spawner;
mod tier;
mod uids;
mod watchdog;

pub use error::SandboxError;
pub use helper::{HELPER_COMMAND, sandbox_exec_main};
pub use launch::{Confined, Exit, Handle, Inside, Launch, Network, Program};
pub use orders::Mount;
pub use spawner::{Limits, Spawner};
pub use tier::{Confinement, Tier};
pub use uids::{UidLease, UidPool, UidRange};
