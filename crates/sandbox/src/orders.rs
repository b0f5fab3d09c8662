use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::Tier;

/// A file or folder of the machine that the function may read, and where it finds it (in tier 1, where nothing can be
/// mounted, it stays at `from`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// Absolute path outside.
    pub from: PathBuf,
    /// Absolute path inside.
    pub at: PathBuf,
}

/// What the parent tells the helper: the one message it gets, over a socket that is its standard input, so that nothing
/// of it shows in a command line.
#[derive(Serialize, Deserialize)]
pub(crate) struct Orders {
    pub(crate) tier: Tier,
    pub(crate) uid: Option<u32>,
    pub(crate) mounts: Vec<Mount>,
    pub(crate) hidden: Vec<PathBuf>,
    pub(crate) scratch: Option<PathBuf>,
    pub(crate) tmp_bytes: u64,
    pub(crate) data_limit: Option<u64>,
    pub(crate) listen: Vec<SocketAddr>,
    pub(crate) hosts: Vec<String>,
    pub(crate) connect_ports: Vec<u16>,
    pub(crate) datagrams: bool,
    pub(crate) run: Run,
}

/// What the helper becomes.
#[derive(Serialize, Deserialize)]
pub(crate) enum Run {
    /// The function's program.
    Program { path: PathBuf, arguments: Vec<String>, environment: Vec<(String, String)>, folder: PathBuf },
    /// A few attempts that must succeed or fail in a real sandbox; the probe's.
    SelfTest { unreadable: PathBuf, unlisted_port: u16 },
}

/// What the helper tells the parent.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Word {
    /// The process tree has begun; the listeners made inside came with this word.
    Standing,
    /// A step failed and nothing runs.
    Failed { step: String, error: String },
}
