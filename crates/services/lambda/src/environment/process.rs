//! Starting the process: what it sees, its environment variables, its addresses.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU8;
use std::time::{Duration, Instant};

use homeport_core::{Scope, SharedClock, SharedRandomness};
use homeport_sandbox::{Confined, Inside, Launch, Mount, Network, Program, Tier};
use homeport_service::Installation;
use homeport_service::needs::{Credentials, PutLog};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::log::{Destination, Log};
use super::relay::{self, Relay};
use super::runtime_api::RuntimeApi;
use super::{Environment, proxy};
use crate::LambdaError;
use crate::code::CodeFolder;
use crate::configuration::log_group;
use crate::find::Found;
use crate::interpreters::{Family, Interpreter};
use crate::machine::{Outbound, Prepared};

const RUNTIME_API: u16 = 9_001;
const ENDPOINT: u16 = 9_002;
const PROXY: u16 = 9_003;
/// Listeners in a sandbox.
const MOST_LISTENERS: usize = 8;
/// Kept of the credentials' life when an environment is retired, in seconds.
const CREDENTIALS_RESERVE: i64 = 300;
const TASK: &str = "/var/task";
const RUNTIME: &str = "/var/runtime";
const PYTHON_LIBRARIES: &str = "/var/lang/python";
/// Where a package's own modules, CommonJS or not, look by themselves.
const NODE_LIBRARIES: &str = "/var/node_modules";
const CA_BUNDLE: &str = "/var/ca.pem";

/// All that an environment is made from.
pub(crate) struct Start {
    pub(crate) prepared: Arc<Prepared>,
    pub(crate) installation: Arc<Installation>,
    pub(crate) scope: Scope,
    pub(crate) found: Found,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) code: Arc<CodeFolder>,
    /// None for `provided.*`.
    pub(crate) interpreter: Option<Interpreter>,
    pub(crate) credentials: Credentials,
    pub(crate) put_log: Option<Arc<dyn PutLog>>,
    pub(crate) fetch: Option<Arc<dyn homeport_service::needs::Fetch>>,
    pub(crate) clock: SharedClock,
    pub(crate) randomness: SharedRandomness,
}

/// What an environment remembers of its configuration.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) function: String,
    pub(crate) version: String,
    pub(crate) timeout: Duration,
    /// How long the package's own code may take to be loaded. AWS begins anew after the free time, and then gives it
    /// the function's timeout; here it goes on, for as long.
    pub(crate) longest_init: Duration,
    pub(crate) memory_mb: u32,
    pub(crate) longest_life: Duration,
    pub(super) init_reported: bool,
}

impl Start {
    /// Starts the process and everything that serves it.
    pub(crate) async fn start(self) -> Result<Environment, LambdaError> {
        let stream = self.log_stream();
        let wanted = self.listeners();
        let launch = self.launch(&wanted);
        let mut confined =
            self.prepared.machine.sandbox.launch(launch, |inside| self.program(inside, &stream)).await?;
        let begun = Instant::now();
        let log = self.begin_log(&mut confined, stream)?;
        log.say(format!("INIT_START Runtime Version: {}", self.runtime_version()), true).await;

        let mut tasks = JoinSet::new();
        let api = RuntimeApi::new();
        let depth = Arc::new(AtomicU8::new(0));
        self.serve(&mut tasks, &api, &depth, &wanted, std::mem::take(&mut confined.listeners));
        let handle = confined.handle();
        let (ended, exit) = watch::channel(None);
        let code = self.code.clone();
        tasks.spawn(async move {
            let exit = confined.wait().await;
            ended.send_replace(Some(exit));
            drop((confined, code));
        });
        Ok(Environment {
            api,
            log,
            handle,
            exit,
            depth,
            plan: self.plan(),
            clock: self.clock.clone(),
            begun,
            init: None,
            spent: false,
            _tasks: tasks,
        })
    }

    fn plan(&self) -> Plan {
        let configuration = &self.found.configuration;
        let timeout = Duration::from_secs(configuration.timeout.into());
        let left = self.credentials.expiration.seconds_since(self.clock.now()) - CREDENTIALS_RESERVE;
        let left = Duration::from_secs(u64::try_from(left).unwrap_or(0));
        Plan {
            function: self.found.function.name.clone(),
            version: configuration.version.clone(),
            timeout,
            longest_init: timeout.max(self.prepared.machine.limits.free_init),
            memory_mb: configuration.memory_size,
            longest_life: left.saturating_sub(timeout),
            init_reported: false,
        }
    }

    fn begin_log(&self, confined: &mut Confined, stream: String) -> Result<Log, LambdaError> {
        let stdout = confined.stdout.take().map(tokio::process::ChildStdout::into_owned_fd);
        let stderr = confined.stderr.take().map(tokio::process::ChildStderr::into_owned_fd);
        let pipes = stdout.into_iter().chain(stderr).collect::<Result<Vec<_>, _>>()?;
        let destination = Destination {
            put_log: self.put_log.clone(),
            region: self.scope.region.clone(),
            group: log_group(&self.found.function.name),
            stream,
            clock: self.clock.clone(),
        };
        Ok(Log::begin(destination, pipes)?)
    }

    fn serve(
        &self,
        tasks: &mut JoinSet<()>,
        api: &Arc<RuntimeApi>,
        depth: &Arc<AtomicU8>,
        wanted: &[Listener],
        listeners: Vec<tokio::net::TcpListener>,
    ) {
        let relay = self.prepared.endpoint().map(|to| Relay::new(to, depth.clone()));
        for (wanted, listener) in wanted.iter().zip(listeners) {
            match (wanted.leads, &relay, &self.fetch) {
                (Leads::RuntimeApi, ..) => {
                    tasks.spawn(api.clone().serve(listener));
                }
                (Leads::Endpoint, Some(relay), _) => {
                    tasks.spawn(relay.clone().serve(listener));
                }
                (Leads::Out, _, Some(fetch)) => {
                    tasks.spawn(proxy::serve(listener, fetch.clone()));
                }
                (Leads::Endpoint | Leads::Out, ..) => {
                    tasks.spawn(relay::refuse(listener));
                }
            }
        }
    }

    fn launch(&self, wanted: &[Listener]) -> Launch {
        let machine = &self.prepared.machine;
        let configuration = &self.found.configuration;
        Launch {
            function: self.found.function.id.clone(),
            mounts: self.mounts(),
            hidden: machine.hidden.clone(),
            memory_bytes: u64::from(configuration.memory_size) << 20,
            tmp_bytes: u64::from(configuration.tmp_size) << 20,
            listen: wanted.iter().map(|listener| listener.address).collect(),
            hosts: self.hosts(),
            network: match &machine.network {
                Outbound::Cut => Network::Cut,
                Outbound::Open { ports } => Network::Ports(ports.clone()),
            },
        }
    }

    fn mounts(&self) -> Vec<Mount> {
        let mount = |from: &Path, at: &str| Mount { from: from.to_owned(), at: at.into() };
        let mut mounts = vec![mount(self.code.path(), TASK), mount(&self.prepared.bootstraps(), RUNTIME)];
        if let Some(interpreter) = &self.interpreter {
            mounts.extend(
                interpreter.folders.iter().map(|folder| Mount { from: folder.clone(), at: folder.clone() }),
            );
            let at = if interpreter.family == Family::Node { NODE_LIBRARIES } else { PYTHON_LIBRARIES };
            mounts.extend(self.prepared.libraries(interpreter).map(|folder| mount(&folder, at)));
        }
        mounts.extend(self.prepared.machine.ca_bundle.as_ref().map(|bundle| mount(bundle, CA_BUNDLE)));
        mounts
    }

    /// Names that lead to the functions' listener.
    fn hosts(&self) -> Vec<String> {
        let mut hosts = vec![self.pools_host()];
        let public = self.installation.public_urls.iter().filter_map(|url| host_and_port(url));
        hosts.extend(public.map(|(host, _)| host).filter(|host| host.parse::<IpAddr>().is_err()));
        hosts
    }

    fn pools_host(&self) -> String {
        format!("cognito-idp.{}.amazonaws.com", self.scope.region.as_str())
    }

    /// The Runtime API and the endpoint; where the function has addresses of its own, the public ones too.
    fn listeners(&self) -> Vec<Listener> {
        let at = |port, leads| Listener { address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)), leads };
        let mut all = vec![at(RUNTIME_API, Leads::RuntimeApi), at(ENDPOINT, Leads::Endpoint)];
        let machine = &self.prepared.machine;
        if !machine.sandbox.confinement().tier.has_namespaces() {
            return all;
        }
        if machine.network != Outbound::Cut {
            all.push(at(PROXY, Leads::Out));
        }
        all.push(at(443, Leads::Endpoint));
        for (host, port) in self.installation.public_urls.iter().filter_map(|url| host_and_port(url)) {
            let address = match host.parse::<IpAddr>() {
                Ok(ip) if ip.is_loopback() => SocketAddr::new(ip, port),
                Ok(_) => continue,
                Err(_) => SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            };
            if all.len() < MOST_LISTENERS && all.iter().all(|listener| listener.address != address) {
                all.push(Listener { address, leads: Leads::Endpoint });
            }
        }
        all
    }

    fn program(&self, inside: &Inside, stream: &str) -> Program {
        let task = inside.path(TASK);
        let runtime = inside.path(RUNTIME);
        let (path, arguments) = match &self.interpreter {
            Some(interpreter) if interpreter.family == Family::Python => {
                (interpreter.path.clone(), vec![text(&runtime.join("bootstrap.py"))])
            }
            Some(interpreter) => {
                // What V8's heap leaves for the rest of Node.
                let heap = self.found.configuration.memory_size.saturating_sub(48).max(64);
                let heap = format!("--max-old-space-size={heap}");
                (interpreter.path.clone(), vec![heap, text(&runtime.join("bootstrap.mjs"))])
            }
            None => (task.join("bootstrap"), Vec::new()),
        };
        Program { path, arguments, environment: self.environment(inside, stream), folder: task }
    }

    /// AWS's variables, the function's own over those that may be set, and last those that may not.
    fn environment(&self, inside: &Inside, stream: &str) -> Vec<(String, String)> {
        let mut environment = self.defaults(inside);
        environment.extend(self.variables.clone());
        environment.extend(self.fixed(inside, stream));
        environment.into_iter().collect()
    }

    fn defaults(&self, inside: &Inside) -> BTreeMap<String, String> {
        let path = |at: &str| text(&inside.path(at));
        let endpoint = inside.listeners.get(1).map(|address| format!("http://{address}")).unwrap_or_default();
        let mut all = vec![
            ("PATH", "/usr/local/bin:/usr/bin:/bin:/opt/bin".to_owned()),
            ("LANG", "C.UTF-8".to_owned()),
            ("TZ", ":UTC".to_owned()),
            ("LD_LIBRARY_PATH", format!("{0}:{0}/lib:/opt/lib", path(TASK))),
            ("NODE_PATH", format!("/opt/nodejs/node_modules:{}:{}", path(NODE_LIBRARIES), path(TASK))),
            ("AWS_ENDPOINT_URL", endpoint),
        ];
        if inside.tier == Tier::Landlock {
            all.push(("TMPDIR", text(&inside.tmp)));
        }
        if self.prepared.machine.ca_bundle.is_some() {
            let names = [
                "AWS_CA_BUNDLE",
                "SSL_CERT_FILE",
                "REQUESTS_CA_BUNDLE",
                "CURL_CA_BUNDLE",
                "NODE_EXTRA_CA_CERTS",
            ];
            all.extend(names.map(|name| (name, path(CA_BUNDLE))));
        }
        if inside.tier.has_namespaces() && self.prepared.machine.network != Outbound::Cut {
            let proxy = format!("http://127.0.0.1:{PROXY}");
            all.extend(
                ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"].map(|name| (name, proxy.clone())),
            );
            let direct =
                [vec!["127.0.0.1".to_owned(), "localhost".to_owned()], self.hosts()].concat().join(",");
            all.extend(["NO_PROXY", "no_proxy"].map(|name| (name, direct.clone())));
            all.push(("NODE_USE_ENV_PROXY", "1".to_owned()));
        }
        all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn fixed(&self, inside: &Inside, stream: &str) -> BTreeMap<String, String> {
        let configuration = &self.found.configuration;
        let name = &self.found.function.name;
        let secret = |secret: &homeport_vault::Secret| secret.expose_text().unwrap_or_default().to_owned();
        let api = inside.listeners.first().map(ToString::to_string).unwrap_or_default();
        let all = [
            ("AWS_REGION", self.scope.region.as_str().to_owned()),
            ("AWS_DEFAULT_REGION", self.scope.region.as_str().to_owned()),
            ("AWS_EXECUTION_ENV", format!("AWS_Lambda_{}", configuration.runtime)),
            ("AWS_LAMBDA_FUNCTION_NAME", name.clone()),
            ("AWS_LAMBDA_FUNCTION_VERSION", configuration.version.clone()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", configuration.memory_size.to_string()),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
            ("AWS_LAMBDA_LOG_GROUP_NAME", log_group(name)),
            ("AWS_LAMBDA_LOG_STREAM_NAME", stream.to_owned()),
            ("AWS_LAMBDA_RUNTIME_API", api),
            ("AWS_ACCESS_KEY_ID", self.credentials.access_key_id.clone()),
            ("AWS_SECRET_ACCESS_KEY", secret(&self.credentials.secret_access_key)),
            ("AWS_SESSION_TOKEN", secret(&self.credentials.session_token)),
            ("LAMBDA_TASK_ROOT", text(&inside.path(TASK))),
            ("LAMBDA_RUNTIME_DIR", text(&inside.path(RUNTIME))),
            ("HOMEPORT_PYTHON_LIBRARIES", text(&inside.path(PYTHON_LIBRARIES))),
            ("_HANDLER", configuration.handler.clone()),
        ];
        all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// `2026/11/21/[$LATEST]` and 32 hexadecimal digits.
    fn log_stream(&self) -> String {
        let at = self.clock.now().date_time();
        let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
        let id = homeport_core::draw(&*self.randomness, b"0123456789abcdef", 32);
        format!("{year:04}/{month:02}/{day:02}/[{}]{id}", self.found.configuration.version)
    }

    fn runtime_version(&self) -> String {
        match &self.interpreter {
            Some(interpreter) => interpreter.name().to_lowercase().replace(' ', ":"),
            None => self.found.configuration.runtime.clone(),
        }
    }
}

/// A listener inside, and where it leads.
struct Listener {
    address: SocketAddr,
    leads: Leads,
}

#[derive(Clone, Copy)]
enum Leads {
    RuntimeApi,
    Endpoint,
    Out,
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Host and port of a URL.
fn host_and_port(url: &str) -> Option<(String, u16)> {
    let uri: http::Uri = url.parse().ok()?;
    let host = uri.host()?.trim_matches(['[', ']']).to_owned();
    let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
    Some((host, port))
}
