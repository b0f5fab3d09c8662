//! Memory and pids control groups, version 1 or 2, where this process may write them. They hold what the watchdog's
//! 100 ms might miss.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::process_tree::MOST_PROCESSES;

const MOUNTED: &str = "/sys/fs/cgroup";

/// Where this process may make groups.
#[derive(Debug)]
pub(crate) struct Cgroups {
    version: Version,
    made: AtomicU64,
    left: Mutex<Vec<PathBuf>>,
}

#[derive(Clone, Debug)]
enum Version {
    One { memory: PathBuf, pids: PathBuf },
    Two { base: PathBuf },
}

/// One environment's group.
#[derive(Debug)]
pub(crate) struct Group {
    folders: Vec<PathBuf>,
    of: Arc<Cgroups>,
}

impl Cgroups {
    /// Tries version 2, then 1, by making a group with limits. An error says why neither works.
    pub(crate) fn probe() -> io::Result<Arc<Self>> {
        let own = format!("homeport-{}", std::process::id());
        let two = Version::Two { base: Path::new(MOUNTED).join(own_group_v2()?).join(&own) };
        let one = Version::One {
            memory: Path::new(MOUNTED).join("memory").join(&own),
            pids: Path::new(MOUNTED).join("pids").join(&own),
        };
        let mut refused = io::Error::from(io::ErrorKind::Unsupported);
        for version in [two, one] {
            version.forget_ended_programs();
            let cgroups = Arc::new(Self { version, made: AtomicU64::new(0), left: Mutex::default() });
            match cgroups.make(64 << 20) {
                Ok(_) => return Ok(cgroups),
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }

    /// A group that holds at most so many bytes and as many processes as AWS allows.
    pub(crate) fn make(self: &Arc<Self>, memory_bytes: u64) -> io::Result<Group> {
        self.sweep();
        self.version.prepare()?;
        let name = self.made.fetch_add(1, Ordering::Relaxed).to_string();
        let group = Group { folders: self.version.folders(&name), of: self.clone() };
        for folder in &group.folders {
            fs::create_dir(folder)?;
        }
        let (memory, pids) = self.version.limits(&name);
        write_existing(&memory, &memory_bytes.to_string())?;
        write_existing(&pids, &MOST_PROCESSES.to_string())?;
        Ok(group)
    }

    /// A group can be removed only a moment after its last process.
    fn sweep(&self) {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.retain(|folder| fs::remove_dir(folder).is_err() && folder.exists());
    }
}

impl Drop for Cgroups {
    fn drop(&mut self) {
        self.sweep();
        for folder in self.version.bases() {
            // Not empty yet: the next program's start removes it.
            let _ = fs::remove_dir(folder);
        }
    }
}

impl Version {
    fn bases(&self) -> Vec<&PathBuf> {
        match self {
            Self::One { memory, pids } => vec![memory, pids],
            Self::Two { base } => vec![base],
        }
    }

    fn folders(&self, name: &str) -> Vec<PathBuf> {
        self.bases().into_iter().map(|base| base.join(name)).collect()
    }

    fn limits(&self, name: &str) -> (PathBuf, PathBuf) {
        match self {
            Self::One { memory, pids } => {
                (memory.join(name).join("memory.limit_in_bytes"), pids.join(name).join("pids.max"))
            }
            Self::Two { base } => (base.join(name).join("memory.max"), base.join(name).join("pids.max")),
        }
    }

    fn prepare(&self) -> io::Result<()> {
        for base in self.bases() {
            if !base.exists() {
                if let (Self::Two { .. }, Some(parent)) = (self, base.parent()) {
                    write_existing(&parent.join("cgroup.subtree_control"), "+memory +pids")?;
                }
                fs::create_dir(base)?;
            }
        }
        match self {
            Self::One { .. } => Ok(()),
            Self::Two { base } => write_existing(&base.join("cgroup.subtree_control"), "+memory +pids"),
        }
    }

    /// Groups of programs that were killed.
    fn forget_ended_programs(&self) {
        for base in self.bases() {
            let Some(Ok(beside)) = base.parent().map(fs::read_dir) else {
                continue;
            };
            for folder in beside.flatten() {
                let name = folder.file_name();
                let Some(pid) = name.to_str().and_then(|name| name.strip_prefix("homeport-")) else {
                    continue;
                };
                if Path::new("/proc").join(pid).exists() {
                    continue;
                }
                for group in fs::read_dir(folder.path()).into_iter().flatten().flatten() {
                    let _ = fs::remove_dir(group.path());
                }
                let _ = fs::remove_dir(folder.path());
            }
        }
    }
}

impl Group {
    /// Puts a process, and what it will fork, into the group.
    pub(crate) fn add(&self, pid: u32) -> io::Result<()> {
        self.folders
            .iter()
            .try_for_each(|folder| write_existing(&folder.join("cgroup.procs"), &pid.to_string()))
    }

    /// Whether the system ended one of its processes for memory.
    pub(crate) fn killed_for_memory(&self) -> bool {
        let files = self
            .folders
            .iter()
            .flat_map(|folder| ["memory.events", "memory.oom_control"].map(|f| folder.join(f)));
        files.filter_map(|file| fs::read_to_string(file).ok()).any(|text| {
            text.lines().filter_map(|line| line.strip_prefix("oom_kill ")).any(|count| count.trim() != "0")
        })
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let mut left = self.of.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.append(&mut self.folders);
        drop(left);
        self.of.sweep();
    }
}

/// The group this process is in, relative to where version 2 is mounted.
fn own_group_v2() -> io::Result<PathBuf> {
    let groups = fs::read_to_string("/proc/self/cgroup")?;
    let path = groups.lines().find_map(|line| line.strip_prefix("0::/")).unwrap_or_default();
    Ok(PathBuf::from(path))
}

/// Writes to a file that must be there (`fs::write` would try to make it).
fn write_existing(path: &Path, text: &str) -> io::Result<()> {
    use io::Write as _;
    fs::OpenOptions::new().write(true).open(path)?.write_all(text.as_bytes())
}
