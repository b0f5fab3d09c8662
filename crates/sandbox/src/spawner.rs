use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::oneshot;

use crate::cgroup::Cgroups;
use crate::launch::{Confined, Inside, Launch, Network, Program, Scratch};
use crate::orders::{Orders, Run, Word};
use crate::watchdog::{Watchdog, Watched, keep_watch};
use crate::{Confinement, HELPER_COMMAND, SandboxError, Tier, UidPool, UidRange, channel};

mod probe;

/// How long a helper has to stand.
const PATIENCE: Duration = Duration::from_secs(10);
/// Commands that wait to be started.
const WAITING: usize = 1_024;
/// What a group holds beyond the function's own memory: the helpers, the kernel's share.
const GROUP_OVERHEAD: u64 = 32 << 20;

/// Where the Homeports of a machine tell each other which uids they use.
const UID_LOCKS: &str = "/run/homeport-uids";

/// What the owner of the machine allows.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The uids of functions when Homeport is root.
    pub uids: UidRange,
    /// No stronger tier than this is tried.
    pub at_most: Tier,
}

impl Default for Limits {
    fn default() -> Self {
        Self { uids: UidRange::default(), at_most: Tier::OwnUid }
    }
}

/// Starts confined processes from one thread that ends only with the spawner: Linux binds "die with the parent" to the
/// thread that forked. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Spawner(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    confinement: Confinement,
    jobs: mpsc::SyncSender<Job>,
    cgroups: Option<Arc<Cgroups>>,
    watchdog: Arc<Watchdog>,
    uids: UidPool,
    folder: PathBuf,
    launched: AtomicU64,
}

struct Job {
    command: Command,
    reply: oneshot::Sender<std::io::Result<Child>>,
}

/// Standing processes and their socket, before anybody knows what for.
struct Started {
    child: Child,
    control: OwnedFd,
}

impl Spawner {
    /// What this machine was proved to give.
    pub fn confinement(&self) -> &Confinement {
        &self.0.confinement
    }

    /// Starts a program confined as `launch` says; `program` is asked once the addresses and paths inside are known.
    /// Returns when the process tree has begun; what goes wrong after that is told by [`Confined::wait`].
    pub async fn launch(
        &self,
        launch: Launch,
        program: impl FnOnce(&Inside) -> Program,
    ) -> Result<Confined, SandboxError> {
        let tier = self.0.confinement.tier;
        if tier == Tier::Refused {
            return Err(SandboxError::Refused(self.0.confinement.to_string()));
        }
        self.start(tier, launch, |inside| {
            let Program { path, arguments, environment, folder } = program(inside);
            Run::Program { path, arguments, environment, folder }
        })
        .await
    }

    async fn start(
        &self,
        tier: Tier,
        launch: Launch,
        run: impl FnOnce(&Inside) -> Run,
    ) -> Result<Confined, SandboxError> {
        let uid = match tier {
            Tier::OwnUid => Some(self.0.uids.lease(&launch.function).ok_or_else(no_uid_left)?),
            _ => None,
        };
        let outside =
            if tier.has_namespaces() { Vec::new() } else { listen_outside(launch.listen.len()).await? };
        let scratch = if tier.has_namespaces() { None } else { Some(self.scratch()?) };
        let inside = inside(tier, &launch, &outside, scratch.as_ref())?;
        let run = run(&inside);
        let group = self.0.cgroups.as_ref().and_then(|cgroups| group(cgroups, &launch));
        let orders = orders(&launch, &inside, uid.as_ref().map(crate::UidLease::uid), group.is_none(), run);

        let Started { mut child, control } = self.fork(tier).await?;
        let pid = child.id().unwrap_or_default();
        if let Some(group) = &group {
            group.add(pid)?;
        }
        channel::send(&control, &orders, &[])?;
        let control = Arc::new(control);
        let watched = Arc::new(Watched::new(pid.cast_signed(), launch.memory_bytes, control.clone()));
        let listeners = match stands(tier, &control).await {
            Ok(inside) if tier.has_namespaces() => inside,
            Ok(_) => outside,
            Err(error) => {
                watched.end();
                return Err(error);
            }
        };
        self.0.watchdog.watch(&watched);
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        Ok(Confined { listeners, stdout, stderr, child, control, watched, group, scratch, uid })
    }

    async fn fork(&self, tier: Tier) -> Result<Started, SandboxError> {
        let (control, theirs) = channel::pair()?;
        rustix::io::ioctl_fionbio(&control, true).map_err(std::io::Error::from)?;
        let mut command = Command::new("/proc/self/exe");
        command
            .arg(HELPER_COMMAND)
            .env_clear()
            .stdin(Stdio::from(theirs))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(tier.has_namespaces());
        let (reply, started) = oneshot::channel();
        self.0.jobs.try_send(Job { command, reply }).map_err(|_| SandboxError::Stopped)?;
        let child = started.await.map_err(|_| SandboxError::Stopped)??;
        Ok(Started { child, control })
    }

    fn scratch(&self) -> std::io::Result<Scratch> {
        let number = self.0.launched.fetch_add(1, Ordering::Relaxed);
        let folder = self.0.folder.join(format!("tmp-{number}"));
        std::fs::create_dir_all(&folder)?;
        Ok(Scratch(folder))
    }
}

impl Shared {
    fn new(confinement: Confinement, cgroups: Option<Arc<Cgroups>>, uids: UidRange, folder: &Path) -> Self {
        let watchdog = Arc::new(Watchdog::default());
        let watching = Arc::downgrade(&watchdog);
        std::thread::spawn(move || keep_watch(watching));
        Self {
            confinement,
            jobs: forking_thread(),
            cgroups,
            watchdog,
            uids: UidPool::new(uids, Path::new(UID_LOCKS)),
            folder: folder.to_owned(),
            launched: AtomicU64::new(0),
        }
    }
}

fn forking_thread() -> mpsc::SyncSender<Job> {
    let (jobs, waiting) = mpsc::sync_channel::<Job>(WAITING);
    let runtime = tokio::runtime::Handle::current();
    std::thread::spawn(move || {
        let _inside = runtime.enter();
        for Job { mut command, reply } in waiting {
            // Nobody waits any more: the child is dropped, and with it its tree.
            let _ = reply.send(command.spawn());
        }
    });
    jobs
}

fn no_uid_left() -> SandboxError {
    SandboxError::Helper(std::io::Error::other("every uid of the range is in use"))
}

async fn listen_outside(count: usize) -> std::io::Result<Vec<TcpListener>> {
    let mut listeners = Vec::with_capacity(count);
    for _ in 0..count {
        listeners.push(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?);
    }
    Ok(listeners)
}

fn inside(
    tier: Tier,
    launch: &Launch,
    outside: &[TcpListener],
    scratch: Option<&Scratch>,
) -> std::io::Result<Inside> {
    let listeners = match tier.has_namespaces() {
        true => launch.listen.clone(),
        false => outside.iter().map(TcpListener::local_addr).collect::<Result<_, _>>()?,
    };
    let tmp = scratch.map_or_else(|| PathBuf::from("/tmp"), |scratch| scratch.0.clone());
    Ok(Inside { tier, listeners, tmp, mounts: launch.mounts.clone() })
}

/// A group that can't be made leaves the watchdog and the limit per process, as where there are no groups.
fn group(cgroups: &Arc<Cgroups>, launch: &Launch) -> Option<crate::cgroup::Group> {
    match cgroups.make(launch.memory_bytes + launch.tmp_bytes + GROUP_OVERHEAD) {
        Ok(group) => Some(group),
        Err(error) => {
            tracing::warn!(%error, function = launch.function, "no control group for this environment");
            None
        }
    }
}

fn orders(launch: &Launch, inside: &Inside, uid: Option<u32>, alone: bool, run: Run) -> Orders {
    let mut connect_ports: Vec<u16> = inside.listeners.iter().map(SocketAddr::port).collect();
    if let Network::Ports(ports) = &launch.network {
        connect_ports.extend(ports);
    }
    Orders {
        tier: inside.tier,
        uid,
        mounts: launch.mounts.clone(),
        hidden: launch.hidden.clone(),
        scratch: Some(inside.tmp.clone()),
        tmp_bytes: launch.tmp_bytes,
        data_limit: alone.then_some(2 * launch.memory_bytes),
        listen: inside.listeners.clone(),
        hosts: launch.hosts.clone(),
        connect_ports,
        datagrams: launch.network != Network::Cut,
        run,
    }
}

/// The helper's first word. Waited for on a thread that may block, for the few milliseconds it takes.
async fn stands(tier: Tier, control: &Arc<OwnedFd>) -> Result<Vec<TcpListener>, SandboxError> {
    let control = control.clone();
    let first = move || {
        let mut watched = [PollFd::new(&*control, PollFlags::IN)];
        let patience = Timespec { tv_sec: PATIENCE.as_secs().cast_signed(), tv_nsec: 0 };
        match poll(&mut watched, Some(&patience)).map_err(std::io::Error::from)? {
            0 => Err(SandboxError::TimedOut),
            _ => Ok(channel::receive::<Word>(&*control)?),
        }
    };
    match tokio::task::spawn_blocking(first).await.map_err(std::io::Error::other)?? {
        Some((Word::Standing, fds)) => fds.into_iter().map(listener).collect(),
        Some((Word::Failed { step, error }, _)) => Err(SandboxError::Step { tier, step, error }),
        None => Err(SandboxError::Helper(std::io::ErrorKind::UnexpectedEof.into())),
    }
}

fn listener(fd: OwnedFd) -> Result<TcpListener, SandboxError> {
    let listener = std::net::TcpListener::from(fd);
    listener.set_nonblocking(true)?;
    Ok(TcpListener::from_std(listener)?)
}
