//! What functions run with: the parts of this machine that the program hands over.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use homeport_blobs::Blobs;
use homeport_sandbox::Spawner;
use tokio::sync::OnceCell;

use crate::interpreters::{Family, Interpreters};
use crate::runtimes;

/// What the program gives to the service.
pub struct Machine {
    /// Where packages are kept.
    pub blobs: Blobs,
    /// What confines functions.
    pub sandbox: Spawner,
    /// A folder of Homeport's own for what can be made again: unpacked packages, bootstraps.
    pub folder: PathBuf,
    /// Where `homeport runtimes install` puts the AWS SDKs.
    pub runtimes: PathBuf,
    /// Where interpreters are looked for: the folders of `PATH`.
    pub interpreter_folders: Vec<PathBuf>,
    /// What no function may see even below a folder that it may read: the data folder, the key.
    pub hidden: Vec<PathBuf>,
    /// Certificates that functions trust, as PEM: the machine's and Homeport's own authority.
    pub ca_bundle: Option<PathBuf>,
    /// Whether functions reach the network.
    pub network: Outbound,
    /// The bounds.
    pub limits: Limits,
}

/// Whether, and by which ports, functions reach the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outbound {
    /// They reach Homeport alone.
    Cut,
    /// With namespaces through Homeport's own connector; in tier 1 these TCP ports, and UDP.
    Open {
        /// TCP ports.
        ports: Vec<u16>,
    },
}

impl Default for Outbound {
    /// Open by the ports of DNS and HTTPS.
    fn default() -> Self {
        Self::Open { ports: vec![53, 443] }
    }
}

/// Bounds on what stands and runs at a time.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Environments of all functions.
    pub environments: usize,
    /// Environments of one function: its concurrency.
    pub per_function: usize,
    /// Invocations of one function that wait for an environment.
    pub waiting: usize,
    /// How long they wait before `TooManyRequestsException`.
    pub patience: Duration,
    /// How long an environment may be idle.
    pub idle: Duration,
    /// How long a package's own code may take to be loaded, however short its function's timeout is.
    pub free_init: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            environments: 64,
            per_function: 32,
            waiting: 256,
            patience: Duration::from_secs(5),
            idle: Duration::from_secs(10 * 60),
            free_init: Duration::from_secs(10),
        }
    }
}

/// The machine, and what has been found out about it.
pub(crate) struct Prepared {
    pub(crate) machine: Machine,
    interpreters: OnceCell<Interpreters>,
    endpoint: RwLock<Option<SocketAddr>>,
}

impl Prepared {
    /// Writes the bootstraps.
    pub(crate) fn new(machine: Machine, functions_url: Option<&str>) -> std::io::Result<Self> {
        let prepared = Self { machine, interpreters: OnceCell::new(), endpoint: RwLock::default() };
        let folder = prepared.bootstraps();
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("bootstrap.py"), include_str!("bootstrap/bootstrap.py"))?;
        fs::write(folder.join("bootstrap.mjs"), include_str!("bootstrap/bootstrap.mjs"))?;
        fs::write(folder.join("proxy.mjs"), include_str!("bootstrap/proxy.mjs"))?;
        if let Some(address) = functions_url.and_then(address) {
            prepared.set_endpoint(address);
        }
        Ok(prepared)
    }

    pub(crate) fn bootstraps(&self) -> PathBuf {
        self.machine.folder.join("bootstrap")
    }

    /// Where the functions' listener is, for environments that are started from now on.
    pub(crate) fn set_endpoint(&self, address: SocketAddr) {
        *self.endpoint.write().unwrap_or_else(PoisonError::into_inner) = Some(address);
    }

    pub(crate) fn endpoint(&self) -> Option<SocketAddr> {
        *self.endpoint.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Found at the first function's creation or start, and then known.
    pub(crate) async fn interpreters(&self) -> &Interpreters {
        let find = || async {
            let folders = self.machine.interpreter_folders.clone();
            let found = tokio::task::spawn_blocking(move || Interpreters::discover(&folders))
                .await
                .unwrap_or_default();
            self.tell_of(&found);
            found
        };
        self.interpreters.get_or_init(find).await
    }

    fn tell_of(&self, found: &Interpreters) {
        let lacking: Vec<String> = found
            .all()
            .iter()
            .filter(|interpreter| runtimes::libraries(&self.machine.runtimes, interpreter).is_none())
            .map(crate::interpreters::Interpreter::name)
            .collect();
        if !lacking.is_empty() {
            tracing::warn!(
                interpreters = lacking.join(", "),
                "functions must bring the AWS SDK in their packages until `homeport runtimes install` was run"
            );
        }
    }

    /// The folder of an SDK, if it was installed.
    pub(crate) fn libraries(&self, interpreter: &crate::interpreters::Interpreter) -> Option<PathBuf> {
        let folder = runtimes::libraries(&self.machine.runtimes, interpreter)?;
        match interpreter.family {
            Family::Python => Some(folder),
            Family::Node => Some(folder.join("node_modules")),
        }
    }

    /// How functions reach the network, in a sentence.
    pub(crate) fn way_out(&self) -> String {
        let own_network = self.machine.sandbox.confinement().tier.has_namespaces();
        match &self.machine.network {
            Outbound::Cut => "functions reach Homeport alone".to_owned(),
            Outbound::Open { .. } if own_network => {
                "functions reach the network through a proxy (HTTP_PROXY, HTTPS_PROXY; Node's fetch is led there), and \
                 what knows of none reaches Homeport alone"
                    .to_owned()
            }
            Outbound::Open { ports } => format!(
                "functions share this machine's network by TCP to the ports {ports:?} and by UDP; which addresses they \
                 reach there, link-local ones too, can't be filtered"
            ),
        }
    }

    /// Where packages are unpacked.
    pub(crate) fn code_folder(folder: &Path) -> PathBuf {
        folder.join("code")
    }
}

/// `http://127.0.0.1:45123` → the address.
fn address(url: &str) -> Option<SocketAddr> {
    url.strip_prefix("http://")?.trim_end_matches('/').parse().ok()
}
