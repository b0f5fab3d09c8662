use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::process::{Child, ChildStderr, ChildStdout};

use crate::cgroup::Group;
use crate::orders::{Mount, Word};
use crate::watchdog::Watched;
use crate::{Tier, UidLease, channel};

/// What one execution environment asks for.
#[derive(Clone, Debug)]
pub struct Launch {
    /// Whose environment it is: functions of different names never share a uid at a time.
    pub function: String,
    /// What it may read besides the machine's programs and libraries.
    pub mounts: Vec<Mount>,
    /// Folders and files that stay invisible even when they lie below something readable.
    pub hidden: Vec<PathBuf>,
    /// Bytes the whole process tree may hold before it is ended.
    pub memory_bytes: u64,
    /// Bytes of `/tmp`, beside `memory_bytes`.
    pub tmp_bytes: u64,
    /// Addresses inside on which the parent will accept. In tier 1 they become ports that the system picks.
    pub listen: Vec<SocketAddr>,
    /// Names that lead to 127.0.0.1 inside, where it has names of its own (tiers 2 and 3).
    pub hosts: Vec<String>,
    /// What tier 1 lets through to the machine's network. With namespaces there is none of it inside.
    pub network: Network,
}

/// The machine's own network, for a function that has no network namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Network {
    /// Only the listeners of this environment.
    Cut,
    /// These TCP ports of any host, and UDP.
    Ports(Vec<u16>),
}

/// Where things are for the function: asked for before it is started, to make its command line and environment.
#[derive(Clone, Debug)]
pub struct Inside {
    /// How it is confined.
    pub tier: Tier,
    /// The addresses of the listeners, in the order they were asked for.
    pub listeners: Vec<SocketAddr>,
    /// The folder it may write to.
    pub tmp: PathBuf,
    pub(crate) mounts: Vec<Mount>,
}

impl Inside {
    /// Where the function finds what a mount put at `at` (or below): there, or in tier 1 where it always was.
    pub fn path(&self, at: impl AsRef<Path>) -> PathBuf {
        let at = at.as_ref();
        if self.tier.has_namespaces() {
            return at.to_owned();
        }
        let below = |mount: &Mount| match at.strip_prefix(&mount.at).ok()? {
            rest if rest.as_os_str().is_empty() => Some(mount.from.clone()),
            rest => Some(mount.from.join(rest)),
        };
        self.mounts.iter().find_map(below).unwrap_or_else(|| at.to_owned())
    }
}

/// What to run, in the function's own paths. Nothing of Homeport's environment is inherited.
#[derive(Clone)]
pub struct Program {
    /// The program's absolute path.
    pub path: PathBuf,
    /// Its arguments, without its name.
    pub arguments: Vec<String>,
    /// The whole of its environment.
    pub environment: Vec<(String, String)>,
    /// The folder it starts in.
    pub folder: PathBuf,
}

/// A process tree that stands confined. Dropped, the whole tree is ended.
#[derive(Debug)]
pub struct Confined {
    /// The listeners made inside, in the order they were asked for.
    pub listeners: Vec<TcpListener>,
    /// What it prints; taken by whoever reads it.
    pub stdout: Option<ChildStdout>,
    /// What it prints as errors; taken by whoever reads it.
    pub stderr: Option<ChildStderr>,
    pub(crate) child: Child,
    pub(crate) control: Arc<OwnedFd>,
    pub(crate) watched: Arc<Watched>,
    pub(crate) group: Option<Group>,
    pub(crate) scratch: Option<Scratch>,
    pub(crate) uid: Option<UidLease>,
}

/// How a process tree ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exit {
    /// The exit status of the program; 128 and the signal when a signal ended it.
    pub status: i32,
    /// It was ended for holding more memory than it may.
    pub out_of_memory: bool,
    /// The step that failed before the program began, and how.
    pub failed: Option<String>,
}

/// A hand on a process tree that somebody else owns and waits for.
#[derive(Clone, Debug)]
pub struct Handle(Arc<Watched>);

impl Handle {
    /// Ends the whole tree. Returns at once; [`Confined::wait`] says when it is done.
    pub fn kill(&self) {
        self.0.end();
    }

    /// The most memory that the tree was seen to hold, in bytes, looked at every 100 ms.
    pub fn peak_memory(&self) -> u64 {
        self.0.peak()
    }
}

impl Confined {
    /// A hand on it, for those who don't wait for it.
    pub fn handle(&self) -> Handle {
        Handle(self.watched.clone())
    }

    /// Ends the whole tree. Returns at once; [`Confined::wait`] says when it is done.
    pub fn kill(&self) {
        self.watched.end();
    }

    /// The most memory that the tree was seen to hold, in bytes, looked at every 100 ms.
    pub fn peak_memory(&self) -> u64 {
        self.watched.peak()
    }

    /// Waits for the end of the tree. Can be called again, and dropped and called anew.
    pub async fn wait(&mut self) -> Exit {
        let status = match self.child.wait().await {
            Ok(status) => status.code().unwrap_or(137),
            Err(_) => 137,
        };
        let failed = match channel::receive::<Word>(&self.control) {
            Ok(Some((Word::Failed { step, error }, _))) => Some(format!("{step}: {error}")),
            _ => None,
        };
        let killed = self.group.as_ref().is_some_and(Group::killed_for_memory);
        Exit { status, out_of_memory: killed || self.watched.was_over_memory(), failed }
    }

    /// The uid it has, in tier 3.
    pub fn uid(&self) -> Option<u32> {
        self.uid.as_ref().map(UidLease::uid)
    }

    /// The folder that stands for `/tmp`, in tier 1.
    pub fn scratch(&self) -> Option<&Path> {
        self.scratch.as_ref().map(|scratch| scratch.0.as_path())
    }
}

impl Drop for Confined {
    fn drop(&mut self) {
        self.watched.end();
    }
}

/// Tier 1's stand-in for `/tmp`: gone with the environment.
#[derive(Debug)]
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::debug!(folder = %self.0.display(), %error, "a function's folder is left behind until the next start");
        }
    }
}
