use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::activity::Activity;
use super::stream::{Protocol, Stream};
use super::{Limits, Plain, Settings, body, ended, proxy_protocol, request};
use crate::Peer;
use homeport_service::Body;

/// The first byte of a TLS handshake (RFC 8446 section 5.1).
const TLS_HANDSHAKE: u8 = 0x16;
/// How long a connection that was asked to end may still take.
const FAREWELL: Duration = Duration::from_secs(1);

const PLAIN_REFUSED: &[u8] = b"HTTP/1.1 426 Upgrade Required\r\nconnection: close\r\nupgrade: TLS/1.2\r\n\
    content-type: text/plain\r\ncontent-length: 30\r\n\r\nThis address speaks TLS only.\n";

/// One connection with all that its requests are answered from.
pub(crate) struct Connection<H> {
    pub(crate) settings: Arc<Settings>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) handler: H,
    /// Turns true when the server is to end.
    pub(crate) ending: watch::Receiver<bool>,
}

/// What is known of the other end before its first request.
#[derive(Clone, Copy)]
struct Origin {
    address: SocketAddr,
    /// The client, where the PROXY protocol told it.
    client: IpAddr,
    tls: bool,
}

impl<H, F> Connection<H>
where
    H: Fn(Request<Body>, Peer) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    /// Serves the connection to its end.
    pub(crate) async fn serve(self, tcp: TcpStream, address: SocketAddr) -> io::Result<()> {
        tcp.set_nodelay(true)?;
        let activity = Arc::new(Activity::new());
        let mut ending = self.ending.clone();
        let greeted = tokio::select! {
            greeted = timeout(self.limits.handshake_time, self.greet(tcp, address, activity.clone())) => greeted,
            () = ended(&mut ending) => return Ok(()),
        };
        let Some((stream, protocol, origin)) = greeted.map_err(|_| io::ErrorKind::TimedOut)?? else {
            return Ok(());
        };
        match protocol {
            Protocol::Http1 => self.http1(stream, origin, activity).await,
            Protocol::Http2 => self.http2(stream, origin, activity).await,
        }
        Ok(())
    }

    /// PROXY header, then TLS or not, then the protocol; `None` where plain HTTP was refused.
    async fn greet(
        &self,
        mut tcp: TcpStream,
        address: SocketAddr,
        activity: Arc<Activity>,
    ) -> io::Result<Option<(Stream, Protocol, Origin)>> {
        let mut origin = Origin { address, client: address.ip().to_canonical(), tls: false };
        if self.settings.proxy_protocol {
            let proxied = proxy_protocol::read_header(&mut tcp).await?;
            origin.client = proxied.client.unwrap_or(origin.client).to_canonical();
            origin.tls = proxied.tls;
        }
        let mut first = [0];
        if tcp.peek(&mut first).await? == 0 {
            return Ok(None);
        }
        if first[0] == TLS_HANDSHAKE {
            let acceptor = self.settings.tls.clone().ok_or(io::ErrorKind::Unsupported)?;
            let tls = acceptor.accept(tcp).await?;
            let (stream, protocol) = Stream::tls(tls, activity);
            return Ok(Some((stream, protocol, Origin { tls: true, ..origin })));
        }
        if !self.plain_allowed(address.ip()) {
            tcp.write_all(PLAIN_REFUSED).await?;
            tcp.shutdown().await?;
            // Closed before the request was read, the socket would be reset, and the answer lost.
            _ = timeout(FAREWELL, tokio::io::copy(&mut tcp, &mut tokio::io::sink())).await;
            return Ok(None);
        }
        let (stream, protocol) = Stream::plain(tcp, activity).await?;
        Ok(Some((stream, protocol, origin)))
    }

    fn plain_allowed(&self, peer: IpAddr) -> bool {
        match self.settings.plain {
            Plain::Everywhere => true,
            Plain::OnLoopback => peer.to_canonical().is_loopback(),
            Plain::BehindProxies => peer.to_canonical().is_loopback() || self.settings.proxies.contains(peer),
        }
    }

    async fn http1(self, stream: Stream, origin: Origin, activity: Arc<Activity>) {
        let mut builder = http1::Builder::new();
        // How long a head may take is the watch's to say: a timer that is set again for every request costs more.
        builder.header_read_timeout(None).max_buf_size(self.limits.head_bytes);
        let service = service_fn(|request| self.answer(request, origin, &activity));
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        self.watch(connection, &activity).await;
    }

    async fn http2(self, stream: Stream, origin: Origin, activity: Arc<Activity>) {
        let list = u32::try_from(self.limits.head_bytes).unwrap_or(u32::MAX);
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .max_header_list_size(list)
            .max_concurrent_streams(self.limits.streams);
        builder.keep_alive_interval(self.limits.idle_time / 2).keep_alive_timeout(self.limits.head_time);
        // The streams of HTTP/2 run as tasks of their own.
        let connection = Arc::new(self);
        let (own, watched) = (connection.clone(), activity.clone());
        let service = service_fn(move |request| {
            let (own, activity) = (own.clone(), activity.clone());
            async move {
                let answered = own.answer(request, origin, &activity).await;
                answered.map(|response| response.map(|body| body::moving(body, activity)))
            }
        });
        connection.watch(builder.serve_connection(TokioIo::new(stream), service), &watched).await;
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
        origin: Origin,
        activity: &Activity,
    ) -> Result<Response<Body>, Infallible> {
        let _running = activity.request();
        let (head, incoming) = request.into_parts();
        let (body, read) = body::timed(incoming, self.limits.body_idle_time);
        let mut request = Request::from_parts(head, body);
        let version = request.version();
        if let Err(status) = request::check(&mut request, &self.limits) {
            return Ok(request::refuse(status, version));
        }
        let peer = self.peer(origin, &request);
        let mut response = (self.handler)(request, peer).await;
        // The rest of the body stands between this answer and the next request: the client must not send one here.
        if version < http::Version::HTTP_2 && !read.is_so() {
            response.headers_mut().insert(http::header::CONNECTION, http::HeaderValue::from_static("close"));
        }
        Ok(response)
    }

    fn peer<B>(&self, origin: Origin, request: &Request<B>) -> Peer {
        let proxies = &self.settings.proxies;
        Peer {
            address: origin.address,
            client: proxies.client(origin.client, request.headers()),
            secure: proxies.secure(origin.client, origin.tls, request.headers()),
            via: self.settings.via,
        }
    }

    /// Runs a connection until it ends by itself, takes too long with a head, rests too long, or the server ends.
    async fn watch<C: Ending>(&self, connection: C, activity: &Activity) {
        let mut connection = pin!(connection);
        let mut ending = self.ending.clone();
        let turn = self.limits.head_time.min(self.limits.idle_time) / 2;
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(%error, "connection ended");
                    }
                    return;
                }
                () = ended(&mut ending) => break,
                () = sleep(turn) => {}
            }
            if activity.head_age().is_some_and(|age| age > self.limits.head_time) {
                tracing::debug!("a request's head took too long");
                return;
            }
            if activity.rest().is_some_and(|rest| rest > self.limits.idle_time) {
                connection.as_mut().end();
                _ = timeout(FAREWELL, connection).await;
                return;
            }
        }
        // How long the requests that run may still take is the server's decision: it drops this future.
        connection.as_mut().end();
        _ = connection.await;
    }
}

/// A connection that can be asked to end: once its requests are answered.
trait Ending: Future<Output = hyper::Result<()>> {
    fn end(self: Pin<&mut Self>);
}

impl<S> Ending for http1::Connection<TokioIo<Stream>, S>
where
    S: hyper::service::HttpService<Incoming, ResBody = Body>,
    S::Error: Into<homeport_service::BoxError>,
{
    fn end(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

impl<S> Ending for http2::Connection<TokioIo<Stream>, S, TokioExecutor>
where
    S: hyper::service::HttpService<Incoming, ResBody = Body>,
    S::Error: Into<homeport_service::BoxError>,
    S::Future: Send + 'static,
{
    fn end(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}
