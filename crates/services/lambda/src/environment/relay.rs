//! From an address inside a sandbox to the functions' listener. HTTP gains the header that says how deep the chain of
//! invocations is, whatever the function wrote there; TLS passes as it is.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use homeport_service::needs::DEPTH_HEADER;
use homeport_service::{Body, full};
use http::uri::{Authority, Scheme, Uri};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// Connections of one environment at a time.
const MOST_CONNECTIONS: usize = 128;
/// How long a connection has to say its first byte.
const PATIENCE: Duration = Duration::from_secs(30);
/// The first byte of a TLS record of the handshake.
const TLS: u8 = 0x16;

/// What all relays of an environment share.
pub(super) struct Relay {
    to: SocketAddr,
    depth: Arc<AtomicU8>,
    client: Client<HttpConnector, Incoming>,
    room: Arc<Semaphore>,
}

impl Relay {
    pub(super) fn new(to: SocketAddr, depth: Arc<AtomicU8>) -> Arc<Self> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(4).build(connector);
        Arc::new(Self { to, depth, client, room: Arc::new(Semaphore::new(MOST_CONNECTIONS)) })
    }

    /// Serves a listener for ever.
    pub(super) async fn serve(self: Arc<Self>, listener: TcpListener) {
        loop {
            let Ok(permit) = self.room.clone().acquire_owned().await else { return };
            let Ok((stream, _)) = listener.accept().await else { return };
            let relay = self.clone();
            tokio::spawn(async move {
                if let Err(error) = relay.carry(stream).await {
                    tracing::debug!(%error, "a function's connection ended");
                }
                drop(permit);
            });
        }
    }

    async fn carry(self: Arc<Self>, mut stream: TcpStream) -> Result<(), hyper::Error> {
        let mut first = [0_u8];
        let peeked = tokio::time::timeout(PATIENCE, stream.peek(&mut first)).await;
        if !matches!(peeked, Ok(Ok(1))) {
            return Ok(());
        }
        if first == [TLS] {
            if let Ok(mut upstream) = TcpStream::connect(self.to).await {
                // Either side may end as it likes.
                let _ = copy_bidirectional(&mut stream, &mut upstream).await;
            }
            return Ok(());
        }
        let service = service_fn(move |request| self.clone().forward(request));
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await
    }

    async fn forward(
        self: Arc<Self>,
        mut request: Request<Incoming>,
    ) -> Result<Response<Body>, hyper::Error> {
        request.headers_mut().remove(DEPTH_HEADER);
        request
            .headers_mut()
            .insert(DEPTH_HEADER, HeaderValue::from(u16::from(self.depth.load(Ordering::Relaxed))));
        let answered = match self.target(request.uri()) {
            Some(target) => {
                *request.uri_mut() = target;
                self.client.request(request).await.ok()
            }
            None => None,
        };
        Ok(match answered {
            Some(response) => response.map(|body| body.map_err(Into::into).boxed_unsync()),
            None => {
                let mut response = Response::new(full("The functions' endpoint did not answer."));
                *response.status_mut() = StatusCode::BAD_GATEWAY;
                response
            }
        })
    }

    /// The same path and query at the functions' listener. The Host header stays what the function signed.
    fn target(&self, asked: &Uri) -> Option<Uri> {
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(Scheme::HTTP);
        parts.authority = Some(Authority::try_from(self.to.to_string()).ok()?);
        parts.path_and_query = asked.path_and_query().cloned();
        Uri::from_parts(parts).ok()
    }
}

/// Where functions have no endpoint: says so, instead of leaving them to wait.
pub(super) async fn refuse(listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(async move {
            let service = service_fn(|_: Request<Incoming>| async {
                let mut response =
                    Response::new(Full::new(bytes::Bytes::from_static(b"No functions' endpoint.")));
                *response.status_mut() = StatusCode::BAD_GATEWAY;
                Ok::<_, std::convert::Infallible>(response)
            });
            let connection =
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a function's connection ended");
            }
        });
    }
}
