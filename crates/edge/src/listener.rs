//! Listening: HTTP/1.1 and HTTP/2, plain and TLS on one port, within bounds.
//!
//! A [`Server`] has any number of listeners, each with its [`Settings`]; they share the [`Limits`] and end together.
//! A request comes to the handler with its [`Peer`](crate::Peer): who is at the other end, behind which proxies, and
//! by which listener.

mod activity;
mod body;
mod connection;
mod connections;
mod forwarded;
mod framing;
mod limits;
mod lingering;
mod proxy_protocol;
mod request;
mod stream;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use homeport_service::Body;
use http::{Request, Response};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::{Peer, Via};
use connection::Connection;
use connections::Connections;

pub use body::BodyStopped;
pub use connections::network_of;
pub use forwarded::TrustedProxies;
pub use limits::{Limits, MAX_HEADERS};

/// How long accepting pauses when the process has no file descriptors left.
const BREATHER: Duration = Duration::from_millis(100);

/// From whom a listener takes plain HTTP (security decision 26).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plain {
    /// From this machine alone.
    OnLoopback,
    /// From this machine and from the trusted proxies.
    BehindProxies,
    /// From everyone who can reach it: for the functions' listener, which only functions can.
    Everywhere,
}

/// One listener's settings.
#[derive(Clone)]
pub struct Settings {
    /// What its requests are marked with.
    pub via: Via,
    /// From whom it takes plain HTTP.
    pub plain: Plain,
    /// Whether each connection begins with a PROXY protocol header of version 2.
    pub proxy_protocol: bool,
    /// The proxies that are believed.
    pub proxies: TrustedProxies,
    /// TLS; without it a handshake is refused.
    pub tls: Option<TlsAcceptor>,
}

/// All listeners and their connections.
pub struct Server {
    limits: Arc<Limits>,
    connections: Arc<Connections>,
    from_functions: Arc<Connections>,
    ending: watch::Sender<bool>,
    listeners: Mutex<JoinSet<JoinSet<()>>>,
}

impl Server {
    /// A server without listeners.
    pub fn new(limits: Limits) -> Self {
        Self {
            connections: Connections::new(&limits),
            from_functions: Connections::new(&limits),
            limits: Arc::new(limits),
            ending: watch::Sender::new(false),
            listeners: Mutex::default(),
        }
    }

    /// Starts accepting on a bound socket. Every request of it goes to `handler`.
    pub fn listen<H, F>(&self, socket: TcpListener, settings: Settings, handler: H)
    where
        H: Fn(Request<Body>, Peer) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Response<Body>> + Send + 'static,
    {
        // Functions all come from this machine's address: counted together with the program's own callers there, what
        // functions hold open would shut those out.
        let connections = match settings.via {
            Via::Functions => &self.from_functions,
            Via::Public | Via::Console => &self.connections,
        };
        let accepting = Accepting {
            connections: connections.clone(),
            settings: Arc::new(settings),
            limits: self.limits.clone(),
            ending: self.ending.subscribe(),
            handler,
        };
        let mut listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.spawn(accepting.run(socket));
    }

    /// Accepts no more, lets the requests that run end within `grace`, then drops what is left. Returns whether all
    /// ended by themselves.
    pub async fn shut_down(self, grace: Duration) -> bool {
        self.ending.send_replace(true);
        let mut listeners = self.listeners.into_inner().unwrap_or_else(PoisonError::into_inner);
        let drained = tokio::time::timeout(grace, async {
            while let Some(connections) = listeners.join_next().await {
                if let Ok(mut connections) = connections {
                    while connections.join_next().await.is_some() {}
                }
            }
        });
        drained.await.is_ok()
    }
}

/// Waits until the server is to end.
async fn ended(ending: &mut watch::Receiver<bool>) {
    // An error says that the server is gone: that is its end too.
    _ = ending.wait_for(|ending| *ending).await;
}

struct Accepting<H> {
    settings: Arc<Settings>,
    limits: Arc<Limits>,
    connections: Arc<Connections>,
    ending: watch::Receiver<bool>,
    handler: H,
}

impl<H, F> Accepting<H>
where
    H: Fn(Request<Body>, Peer) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    /// Accepts until the server ends; the connections that are left then are its result.
    async fn run(self, socket: TcpListener) -> JoinSet<()> {
        let mut open = JoinSet::new();
        let mut ending = self.ending.clone();
        loop {
            tokio::select! {
                accepted = socket.accept() => self.accepted(accepted, &mut open).await,
                Some(_) = open.join_next() => {}
                () = ended(&mut ending) => break,
            }
        }
        open
    }

    async fn accepted(&self, accepted: io::Result<(TcpStream, SocketAddr)>, open: &mut JoinSet<()>) {
        let (tcp, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                return tokio::time::sleep(BREATHER).await;
            }
        };
        let trusted = self.settings.proxies.contains(address.ip());
        if self.settings.proxy_protocol && !trusted {
            return tracing::warn!(%address, "a connection to the PROXY listener did not come from a trusted proxy");
        }
        let Some(counted) = self.connections.admit(address.ip(), trusted) else {
            return tracing::warn!(%address, "too many connections");
        };
        let connection = Connection {
            settings: self.settings.clone(),
            limits: self.limits.clone(),
            handler: self.handler.clone(),
            ending: self.ending.clone(),
        };
        open.spawn(async move {
            let _counted = counted;
            if let Err(error) = connection.serve(tcp, address).await {
                tracing::debug!(%address, %error, "connection refused");
            }
        });
    }
}

#[cfg(test)]
mod tests;
