//! The server: takes its addresses, opens the house, makes the administrator, tells commands where it is, then lets
//! connections in; and the same back to front at its end.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use homeport_core::Randomness;
use homeport_edge::cors::Origins;
use homeport_edge::listener::{Plain, Server, Settings};
use homeport_edge::tls::TlsAcceptor;
use homeport_edge::{FrontDoor, Hosts, Pipeline, PipelineOptions};
use homeport_service::{Body, Peer, Via};
use http::{Request, Response};
use tokio::signal::unix::{SignalKind, signal};

use crate::certificates::{self, Audience, Authority};
use crate::config::{Config, ConsoleAddress};
use crate::console::{Console, Links};
use crate::environment::Environment;
use crate::error::ProgramError;
use crate::front_desk::FrontDesk;
use crate::house::{For, House};
use crate::metrics::Metrics;
use crate::office::Office;
use crate::own_pages::OwnPages;
use crate::randomness::{OsRandomness, seed_library};
use crate::readiness::Readiness;
use crate::server_file::ServerFile;
use crate::sockets::{Sockets, endpoint_of};
use crate::wiring;

/// How long requests that run may take when the server ends.
const GRACE: Duration = Duration::from_secs(10);

/// Serves until it is asked to end (SIGTERM, SIGINT).
pub(crate) async fn serve(config: Config, environment: Environment) -> Result<(), ProgramError> {
    // Before all else, so that a request to end that comes during the start is not its end.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let drain = Duration::from_secs(config.listen.drain_seconds.into());
    let server = RunningServer::start(config, environment).await?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    server.readiness.end();
    if !drain.is_zero() {
        tracing::info!("ending: requests are taken for another {} s", drain.as_secs());
        tokio::select! {
            () = tokio::time::sleep(drain) => {}
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
    tracing::info!("ending: requests that run have {} s", GRACE.as_secs());
    server.end().await;
    Ok(())
}

/// No other process of the same user may read this one's memory, and no crash writes it to a file (security decision 30).
fn harden() -> Result<(), ProgramError> {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    let refused = |error: rustix::io::Errno| ProgramError::Io(error.into());
    set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(refused)?;
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }).map_err(refused)
}

/// A server whose listeners accept.
struct RunningServer {
    server: Server,
    house: Arc<House>,
    readiness: Arc<Readiness>,
    /// Dropped first at the end: a server that ends takes no more questions.
    _published: crate::server_file::Published,
}

impl RunningServer {
    async fn start(config: Config, environment: Environment) -> Result<Self, ProgramError> {
        harden()?;
        seed_library();
        let sockets = Sockets::take(&config)?;
        let endpoint = sockets.endpoint();
        let functions_url = endpoint_of(sockets.functions.address);
        let opened_for = For::Server { endpoint: &endpoint, functions_url };
        let house = Arc::new(House::open(config, environment, opened_for).await?);
        if house.iam.ensure_administrator().await? {
            tracing::info!("a new installation: `homeport credentials` prints the administrator's keys");
        }
        Self::open_doors(house, sockets, endpoint).await
    }

    async fn open_doors(house: Arc<House>, sockets: Sockets, endpoint: String) -> Result<Self, ProgramError> {
        let (parts, config) = (&house.parts, &house.config);
        let readiness = Readiness::new(house.clone());
        let doors = Doors::make(&house, readiness.clone()).await?;
        let address = sockets.console.address;
        let links = sockets
            .has_console
            .then(|| Arc::new(Links::new(address, parts.clock.clone(), parts.randomness.clone())));
        let token = draw_token();
        let desk = FrontDesk::new(Office::new(house.clone(), links.clone()), token.clone());
        let console = Console::new(
            address,
            links.clone(),
            house.outbox.clone(),
            desk,
            parts.clock.clone(),
            parts.randomness.clone(),
        );
        let file = ServerFile {
            pid: std::process::id(),
            endpoint,
            console: sockets.has_console.then(|| format!("http://{address}")),
            commands: address,
            token,
        };
        let published = file.publish(&config.data.server_file())?;
        let server = Server::new(config.limits.0.clone());
        doors.open(&server, sockets, &house, console)?;
        tell(&file, &house);
        Ok(Self { server, house, readiness, _published: published })
    }

    /// Ends it, letting requests finish.
    async fn end(self) {
        let (all_answered, ()) = tokio::join!(self.server.shut_down(GRACE), self.house.duties.end());
        if !all_answered {
            tracing::warn!("some requests were cut short");
        }
    }
}

/// What answers at each listener, and by which certificate.
struct Doors {
    front: Arc<FrontDoor>,
    metrics: Arc<Metrics>,
    clients_tls: TlsAcceptor,
    functions_tls: TlsAcceptor,
}

impl Doors {
    async fn make(house: &House, readiness: Arc<Readiness>) -> Result<Self, ProgramError> {
        let (parts, config) = (&house.parts, &house.config);
        let services = wiring::services(house).await?;
        let development = if config.dev { house.iam.administrator().await? } else { None };
        let public = parts.installation.public_urls.iter().filter_map(|url| host_of(url));
        let hosts = Hosts::new(config.listen.own_names().into_iter().chain(public));
        let options = PipelineOptions {
            hosts: hosts.clone(),
            origins: Origins::new(config.listen.origins.clone()),
            development,
            s3_sigv2: config.s3.sigv2,
        };
        let pipeline = Arc::new(Pipeline::new(parts, services.hosted, options));
        parts.needs.check_signature.set(pipeline.clone()).ok();
        let metrics = Arc::new(Metrics::default());
        let own = OwnPages { readiness, metrics: metrics.clone(), pipeline: pipeline.clone() };
        let own = Arc::new(own);
        let front = Arc::new(FrontDoor::new(hosts, services.planes, own, pipeline));
        if config.tls.certificate.is_none() {
            write_root(house).await?;
        }
        Ok(Self {
            front,
            metrics,
            clients_tls: certificates::acceptor(parts, config, Audience::Clients).await?,
            functions_tls: certificates::acceptor(parts, config, Audience::Functions).await?,
        })
    }

    fn open(
        self,
        server: &Server,
        sockets: Sockets,
        house: &House,
        console: Arc<Console>,
    ) -> Result<(), ProgramError> {
        let config = &house.config;
        let own = [sockets.console.address, sockets.functions.address];
        for address in sockets.public.iter().map(|taken| taken.address).chain(own) {
            house.egress.never(address);
        }
        let plain = if config.listen.plain_behind_proxy { Plain::BehindProxies } else { Plain::OnLoopback };
        let front = self.front;
        let through_front = move |request: Request<Body>, peer: Peer| {
            let front = front.clone();
            async move { front.handle(request, peer).await }
        };
        let through_front = measured(self.metrics.clone(), through_front);
        let inside = |via, plain, tls| Settings {
            via,
            plain,
            proxy_protocol: false,
            proxies: Default::default(),
            tls,
        };
        let through_console = move |request: Request<Body>, _: Peer| {
            let console = console.clone();
            async move {
                let (head, body) = request.into_parts();
                console.handle(head, body).await
            }
        };
        let through_console = measured(self.metrics.clone(), through_console);
        let settings = inside(Via::Console, Plain::OnLoopback, None);
        server.listen(sockets.console.listen("--console")?, settings, through_console);
        let functions = inside(Via::Functions, Plain::Everywhere, Some(self.functions_tls));
        server.listen(sockets.functions.listen("listen.functions")?, functions, through_front.clone());
        // Last: whoever is answered here finds the others answering, a command right after the start among them.
        for taken in sockets.public {
            let settings = Settings {
                via: Via::Public,
                plain,
                proxy_protocol: config.listen.proxy_protocol.contains(&taken.configured),
                proxies: config.listen.proxies(),
                tls: Some(self.clients_tls.clone()),
            };
            server.listen(taken.listen("--listen")?, settings, through_front.clone());
        }
        Ok(())
    }
}

/// Counts what passes.
fn measured<H, F>(
    metrics: Arc<Metrics>,
    handler: H,
) -> impl Fn(Request<Body>, Peer) -> std::pin::Pin<Box<dyn Future<Output = Response<Body>> + Send>>
+ Clone
+ Send
+ Sync
+ 'static
where
    H: Fn(Request<Body>, Peer) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    move |request, peer| {
        let (metrics, answered) = (metrics.clone(), handler(request, peer));
        Box::pin(async move {
            let counted = Counted { metrics, via: peer.via, began: Instant::now(), status: 499 };
            counted.metrics.began(peer.via);
            counted.until(answered).await
        })
    }
}

/// Counts a request also when its client went away before the answer.
struct Counted {
    metrics: Arc<Metrics>,
    via: Via,
    began: Instant,
    status: u16,
}

impl Counted {
    async fn until(mut self, answered: impl Future<Output = Response<Body>>) -> Response<Body> {
        let response = answered.await;
        self.status = response.status().as_u16();
        response
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.metrics.answered(self.via, self.status, self.began.elapsed());
    }
}

/// The root for programs on this machine: `homeport env` names the file. It is public.
async fn write_root(house: &House) -> Result<(), ProgramError> {
    let authority = Authority::open(&house.parts, &house.config, Audience::Clients).await?;
    let path = house.config.data.root_file();
    if std::fs::read_to_string(&path).is_ok_and(|kept| kept == authority.root_pem()) {
        return Ok(());
    }
    std::fs::write(&path, authority.root_pem()).map_err(|source| ProgramError::File { path, source })
}

fn draw_token() -> String {
    let mut bytes = [0; 32];
    OsRandomness.fill(&mut bytes);
    hex::encode(bytes)
}

fn host_of(url: &str) -> Option<String> {
    url.parse::<http::Uri>().ok()?.host().map(str::to_owned)
}

fn tell(file: &ServerFile, house: &House) {
    let (version, account) = (env!("CARGO_PKG_VERSION"), house.parts.installation.account);
    let console = file.console.as_deref().unwrap_or("off");
    tracing::info!(endpoint = %file.endpoint, console, %account, "Homeport {version} is ready");
    if house.config.dev {
        tracing::warn!("--dev: programs on this machine may sign with test/test");
    }
    if house.config.listen.console == ConsoleAddress::Off {
        tracing::debug!(address = %file.commands, "commands ask here");
    }
}
