use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use homeport_core::{Clock, Timestamp};
use homeport_demo::{Aws, Keys};

use crate::Outcome;

/// Kernel ticks a second, as `/proc/PID/stat` counts on every Linux of today.
const TICKS: f64 = 100.0;
const READY_WITHIN: Duration = Duration::from_secs(30);

/// The program under test, and the cores that servers may use.
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    pub(crate) cores: String,
}

/// Where an installation keeps what it has.
pub(crate) struct Place {
    pub(crate) folder: PathBuf,
    /// The database that holds the store in place of the folder.
    pub(crate) database: Option<String>,
}

impl Place {
    /// A folder alone.
    pub(crate) fn of(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), database: None }
    }

    fn tell(&self, command: &mut Command) {
        command.arg("--data").arg(&self.folder);
        if let Some(url) = &self.database {
            command.args(["--store", url, "--blobs"]).arg(self.folder.with_extension("blobs"));
        }
    }
}

/// A server, ended with this value.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: String,
}

impl Program {
    /// A command that runs on the servers' cores.
    pub(crate) fn on_server_cores(&self, program: &Path) -> Command {
        let mut command = Command::new("taskset");
        command.arg("-c").arg(&self.cores).arg(program);
        command.stdout(Stdio::null()).stderr(Stdio::null()).stdin(Stdio::null());
        command
    }

    /// Starts Homeport on a folder and waits until it is ready.
    pub(crate) async fn serve(&self, data: &Path) -> Outcome<Server> {
        self.serve_on(&Place::of(data)).await
    }

    /// The same wherever it keeps what it has.
    pub(crate) async fn serve_on(&self, place: &Place) -> Outcome<Server> {
        let server = self.exec(place)?;
        let begun = Instant::now();
        while server.ask(&server.anyone()).await.is_err() {
            if begun.elapsed() > READY_WITHIN {
                return Err("homeport was not ready in time".into());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(server)
    }

    /// Starts Homeport and doesn't wait.
    pub(crate) fn exec(&self, place: &Place) -> Outcome<Server> {
        let address = free_address()?;
        let mut command = self.on_server_cores(&self.path);
        command.args(["serve", "--dev", "--console", "off", "--listen", &address]);
        place.tell(&mut command);
        command.stderr(fs::File::create(place.folder.with_extension("log"))?);
        Ok(Server { child: command.spawn()?, address })
    }

    /// The administrator's keys of a folder.
    pub(crate) fn keys(&self, data: &Path) -> Outcome<Keys> {
        self.keys_of(&Place::of(data))
    }

    /// The administrator's keys.
    pub(crate) fn keys_of(&self, place: &Place) -> Outcome<Keys> {
        let mut command = Command::new(&self.path);
        place.tell(&mut command);
        let asked = command.args(["credentials", "--format", "json"]).stderr(Stdio::null()).output()?;
        let keys: serde_json::Value = serde_json::from_slice(&asked.stdout)?;
        let text = |name: &str| keys[name].as_str().unwrap_or_default().to_owned();
        Ok(Keys {
            access_key_id: text("accessKeyId"),
            secret_access_key: text("secretAccessKey"),
            session_token: None,
        })
    }
}

impl Server {
    /// A server that was started elsewhere.
    pub(crate) fn of(child: Child, address: String) -> Self {
        Self { child, address }
    }

    /// A caller with the development keys.
    pub(crate) fn anyone(&self) -> Aws {
        let test = || "test".to_owned();
        let keys = Keys { access_key_id: test(), secret_access_key: test(), session_token: None };
        Aws::anonymous(&self.address, Arc::new(SystemClock)).with(keys)
    }

    /// A signed `GetCallerIdentity`.
    pub(crate) async fn ask(&self, aws: &Aws) -> Outcome<String> {
        Ok(aws.query("sts", "2011-06-15", "GetCallerIdentity", &[]).await?)
    }

    /// CPU seconds that the server and what it started have used.
    pub(crate) fn cpu_seconds(&self) -> f64 {
        cpu_seconds_of(self.child.id())
    }

    /// Resident memory of the server itself, in MiB.
    pub(crate) fn resident_mib(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
        kib.unwrap_or(f64::NAN) / 1024.0
    }

    /// The process's id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// CPU seconds that a process and those it started, as far as they still run, have used.
pub(crate) fn cpu_seconds_of(root: u32) -> f64 {
    let stats: HashMap<u32, Stat> = processes().filter_map(|pid| Some((pid, Stat::of(pid)?))).collect();
    let is_ours = |mut pid: u32| loop {
        if pid == root {
            return true;
        }
        match stats.get(&pid) {
            Some(stat) if stat.parent != 0 => pid = stat.parent,
            _ => return false,
        }
    };
    stats.iter().filter(|(pid, _)| is_ours(**pid)).map(|(_, stat)| stat.ticks).sum::<f64>() / TICKS
}

struct Stat {
    parent: u32,
    ticks: f64,
}

impl Stat {
    /// Fields 4, 14 and 15 of `/proc/PID/stat` (proc(5)).
    fn of(pid: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let number = |at: usize| fields.get(at)?.parse::<f64>().ok();
        Some(Self { parent: fields.get(1)?.parse().ok()?, ticks: number(11)? + number(12)? })
    }
}

fn processes() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

/// A loopback address that nobody listens on.
pub(crate) fn free_address() -> Outcome<String> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

/// The machine's clock.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "here the time comes from outside")]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}
