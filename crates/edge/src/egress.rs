//! Going out: the one way Homeport makes an HTTP request to somewhere else (security decision 25).
//!
//! A name is resolved, every address it has is checked, and the connection goes to a checked address; a redirect is
//! a new request that is checked anew. So a name that resolves to something else the second time changes nothing.

mod addresses;
mod fetch;
mod rules;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::uri::{PathAndQuery, Scheme};
use http::{Request, Response, Uri};
use http_body_util::BodyExt;
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::OnceCell;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use homeport_service::{Body, BoxError, collect, empty};

pub use rules::{Allowed, EgressRules, NotAllowed, WhoChose};

/// How long one address may take to answer a connection, TLS included.
const CONNECT_TIME: Duration = Duration::from_secs(5);
/// How many addresses of a name are tried.
const MOST_ADDRESSES: usize = 16;

/// Why a request did not go out, or brought nothing back.
#[derive(Debug, thiserror::Error)]
pub enum EgressError {
    /// The URL is not `http://` or `https://` with a host.
    #[error("the URL must be http or https with a host")]
    Url,
    /// The target is none that Homeport goes to; the reason is for the log.
    #[error("this target is not allowed: {0}")]
    NotAllowed(#[from] NotAllowed),
    /// The name has no address, or nobody answers there.
    #[error("the target could not be reached: {0}")]
    Unreachable(io::Error),
    /// It took too long.
    #[error("the target did not answer in time")]
    TimedOut,
    /// What came was not HTTP, or more than may come.
    #[error("the answer could not be read: {0}")]
    Answer(BoxError),
    /// It redirects, more often than is followed.
    #[error("the target redirects")]
    Redirected,
}

/// What a fetch may take.
#[derive(Clone, Copy, Debug)]
pub struct FetchLimits {
    /// From start to the last byte.
    pub time: Duration,
    /// Of the answer's body.
    pub bytes: usize,
    /// Redirects that are followed.
    pub redirects: u8,
}

impl FetchLimits {
    /// For keys, metadata and confirmations: 1.5 s, 1 MiB, no redirect.
    pub const DOCUMENT: Self = Self { time: Duration::from_millis(1_500), bytes: 1 << 20, redirects: 0 };
}

/// The connector. One for the whole program.
pub struct Egress {
    rules: EgressRules,
    own: RwLock<Vec<SocketAddr>>,
    more_roots: Vec<CertificateDer<'static>>,
    tls: OnceCell<TlsConnector>,
}

impl Egress {
    /// A connector under these rules; `more_roots` are trusted beside those of the system.
    pub fn new(rules: EgressRules, more_roots: Vec<CertificateDer<'static>>) -> Arc<Self> {
        Arc::new(Self { rules, own: RwLock::default(), more_roots, tls: OnceCell::new() })
    }

    /// Names a listener of Homeport's own: no request goes there, at any of this machine's addresses.
    pub fn never(&self, listener: SocketAddr) {
        self.own.write().unwrap_or_else(PoisonError::into_inner).push(listener);
    }

    /// Sends a request and gives its answer, body streaming, whatever its status; follows no redirect. `chosen` says
    /// whether the owner configured the target. Within `time` the answer's head must be there.
    pub async fn send(
        &self,
        request: Request<Body>,
        chosen: WhoChose,
        time: Duration,
    ) -> Result<Response<Body>, EgressError> {
        timeout(time, self.exchange(request, chosen)).await.map_err(|_| EgressError::TimedOut)?
    }

    /// Gets a document whole.
    pub async fn fetch(
        &self,
        url: &Uri,
        chosen: WhoChose,
        limits: FetchLimits,
    ) -> Result<Response<Bytes>, EgressError> {
        timeout(limits.time, self.follow(url.clone(), chosen, limits))
            .await
            .map_err(|_| EgressError::TimedOut)?
    }

    async fn follow(
        &self,
        mut url: Uri,
        chosen: WhoChose,
        limits: FetchLimits,
    ) -> Result<Response<Bytes>, EgressError> {
        let mut chosen = chosen;
        for _ in 0..=limits.redirects {
            let request = Request::get(url.clone()).body(empty()).map_err(|_| EgressError::Url)?;
            let (head, body) = self.exchange(request, chosen).await?.into_parts();
            if !head.status.is_redirection() {
                let bytes = collect(body, limits.bytes).await.map_err(EgressError::Answer)?;
                return Ok(Response::from_parts(head, bytes));
            }
            url = redirected(&url, head.headers.get(header::LOCATION))?;
            // Where a redirect leads, the target chose and not the owner.
            chosen = WhoChose::Others;
        }
        Err(EgressError::Redirected)
    }

    async fn exchange(
        &self,
        mut request: Request<Body>,
        chosen: WhoChose,
    ) -> Result<Response<Body>, EgressError> {
        let target = Target::of(request.uri())?;
        let host = HeaderValue::from_str(&target.authority).map_err(|_| EgressError::Url)?;
        request.headers_mut().insert(header::HOST, host);
        let path = request.uri().path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
        *request.uri_mut() = Uri::from(path);
        let tcp = self.connect(&target, chosen).await?;
        if !target.tls {
            return converse(tcp, request).await;
        }
        let name = ServerName::try_from(target.host.clone()).map_err(|_| EgressError::Url)?;
        let connector = self.tls.get_or_try_init(|| self.connector()).await?;
        converse(connector.connect(name, tcp).await.map_err(EgressError::Unreachable)?, request).await
    }

    async fn connect(&self, target: &Target, chosen: WhoChose) -> Result<TcpStream, EgressError> {
        let found =
            lookup_host((target.host.as_str(), target.port)).await.map_err(EgressError::Unreachable)?;
        let addresses: Vec<SocketAddr> = found.take(MOST_ADDRESSES).collect();
        let own = self.own.read().unwrap_or_else(PoisonError::into_inner).clone();
        for address in &addresses {
            self.rules.check(&target.host, *address, chosen, &own)?;
        }
        let mut last = io::Error::from(io::ErrorKind::NotFound);
        for address in addresses {
            match timeout(CONNECT_TIME, TcpStream::connect(address)).await {
                Ok(Ok(tcp)) => return Ok(tcp),
                Ok(Err(error)) => last = error,
                Err(_) => last = io::ErrorKind::TimedOut.into(),
            }
        }
        Err(EgressError::Unreachable(last))
    }

    /// The system's roots are read at the first request that needs them: reading takes longer than a start may.
    async fn connector(&self) -> Result<TlsConnector, EgressError> {
        let more = self.more_roots.clone();
        let roots = tokio::task::spawn_blocking(move || {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            roots.add_parsable_certificates(more);
            roots
        });
        let roots = roots.await.map_err(|error| EgressError::Unreachable(io::Error::other(error)))?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.map_err(|error| EgressError::Unreachable(io::Error::other(error)))?;
        let config = builder.with_root_certificates(roots).with_no_client_auth();
        Ok(TlsConnector::from(Arc::new(config)))
    }
}

struct Target {
    host: String,
    authority: String,
    port: u16,
    tls: bool,
}

impl Target {
    fn of(url: &Uri) -> Result<Self, EgressError> {
        let tls = match url.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) if *scheme == Scheme::HTTP => false,
            _ => return Err(EgressError::Url),
        };
        let authority = url.authority().ok_or(EgressError::Url)?;
        if authority.as_str().contains('@') || authority.host().is_empty() {
            return Err(EgressError::Url);
        }
        Ok(Self {
            host: authority.host().trim_start_matches('[').trim_end_matches(']').to_owned(),
            port: authority.port_u16().unwrap_or(if tls { 443 } else { 80 }),
            authority: authority.as_str().to_owned(),
            tls,
        })
    }
}

/// Where a redirect leads; never from TLS to plain HTTP.
fn redirected(from: &Uri, location: Option<&HeaderValue>) -> Result<Uri, EgressError> {
    let location = location.and_then(|location| location.to_str().ok()).ok_or(EgressError::Redirected)?;
    let to: Uri = location.parse().map_err(|_| EgressError::Url)?;
    let mut parts = to.into_parts();
    if parts.authority.is_none() {
        let rooted = parts.path_and_query.as_ref().is_some_and(|path| path.as_str().starts_with('/'));
        if !rooted {
            return Err(EgressError::Redirected);
        }
        parts.authority = from.authority().cloned();
        parts.scheme = from.scheme().cloned();
    }
    let to = Uri::from_parts(parts).map_err(|_| EgressError::Url)?;
    if from.scheme() == Some(&Scheme::HTTPS) && to.scheme() != Some(&Scheme::HTTPS) {
        return Err(EgressError::Redirected);
    }
    Ok(to)
}

async fn converse<S>(stream: S, request: Request<Body>) -> Result<Response<Body>, EgressError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let answer = |error: hyper::Error| EgressError::Answer(error.into());
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(answer)?;
    tokio::spawn(connection);
    let response = sender.send_request(request).await.map_err(answer)?;
    Ok(response.map(|body| body.map_err(BoxError::from).boxed_unsync()))
}

/// Whether an address is this machine's own way to a listener bound to `listener`.
fn reaches(address: SocketAddr, listener: SocketAddr) -> bool {
    let (to, bound) = (address.ip().to_canonical(), listener.ip().to_canonical());
    let same =
        to == bound || (bound.is_unspecified() && is_own(to)) || (bound.is_loopback() && to.is_loopback());
    address.port() == listener.port() && same
}

fn is_own(address: IpAddr) -> bool {
    address.is_loopback() || address.is_unspecified() || crate::tls::machine_addresses().contains(&address)
}

#[cfg(test)]
mod tests;
