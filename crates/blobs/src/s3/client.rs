//! How requests reach the cluster: HTTP/1.1 over our own TLS, with a time for everything.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector as Connect, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody,
    HttpResponse, HttpResponseBody, HttpService,
};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use tokio::time::{Instant, Sleep};

use crate::{BlobError, READ_CHUNK};

/// How long one address may take to answer a connection.
const CONNECT_TIME: Duration = Duration::from_secs(3);
/// How long a request with its part of a blob, and the head of the answer, may take.
const ANSWER_TIME: Duration = Duration::from_secs(30);
/// How long the next bytes of an answer may take.
const IDLE_TIME: Duration = Duration::from_secs(15);
/// Connections that are kept for the next request.
const KEPT: usize = 32;
const KEPT_TIME: Duration = Duration::from_secs(20);

/// Requests to the cluster.
#[derive(Clone, Debug)]
pub(super) struct Connector(Client<HttpsConnector<HttpConnector>, HttpRequestBody>);

impl Connector {
    /// `plain` lets it speak without TLS.
    pub(super) fn new(plain: bool, more_roots: &[u8]) -> Result<Self, BlobError> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_TIME));
        let builder = HttpsConnectorBuilder::new().with_tls_config(tls(plain, more_roots)?);
        let builder = if plain { builder.https_or_http() } else { builder.https_only() };
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(KEPT_TIME)
            .pool_max_idle_per_host(KEPT)
            .http1_max_buf_size(READ_CHUNK)
            .build(builder.enable_http1().wrap_connector(tcp));
        Ok(Self(client))
    }
}

/// Without TLS no roots are read, which takes a while.
fn tls(plain: bool, more_roots: &[u8]) -> Result<ClientConfig, BlobError> {
    let mut roots = RootCertStore::empty();
    if !plain {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        for root in CertificateDer::pem_slice_iter(more_roots) {
            roots.add(root.map_err(BlobError::failed)?).map_err(BlobError::failed)?;
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(builder.map_err(BlobError::failed)?.with_root_certificates(roots).with_no_client_auth())
}

impl Connect for Connector {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

/// What went wrong on the way, with all its causes.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct OnTheWay(String);

impl HttpService for Connector {
    fn call<'s, 'f>(
        &'s self,
        request: HttpRequest,
    ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'f>>
    where
        's: 'f,
        Self: 'f,
    {
        Box::pin(async move {
            let answer = tokio::time::timeout(ANSWER_TIME, self.0.request(request)).await;
            let answer = answer.map_err(|_| late("no answer in time"))?.map_err(|error| {
                let kind =
                    if error.is_connect() { HttpErrorKind::Connect } else { HttpErrorKind::Interrupted };
                on_the_way(kind, &error)
            })?;
            Ok(answer.map(|body| HttpResponseBody::new(Timed::new(body))))
        })
    }
}

fn late(what: &str) -> HttpError {
    HttpError::new(HttpErrorKind::Timeout, OnTheWay(what.to_owned()))
}

fn on_the_way(kind: HttpErrorKind, error: &dyn std::error::Error) -> HttpError {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let told = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
    HttpError::new(kind, OnTheWay(told))
}

/// An answer's body that ends by an error when the next bytes take too long. The time in which nobody asks for them
/// doesn't count: whoever reads may be slow.
struct Timed {
    body: Incoming,
    alarm: Pin<Box<Sleep>>,
    waiting: bool,
}

impl Timed {
    fn new(body: Incoming) -> Self {
        Self { body, alarm: Box::pin(tokio::time::sleep(IDLE_TIME)), waiting: false }
    }
}

impl Body for Timed {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            self.waiting = false;
            let told = |error: hyper::Error| on_the_way(HttpErrorKind::Interrupted, &error);
            return Poll::Ready(frame.map(|frame| frame.map_err(told)));
        }
        if !self.waiting {
            self.waiting = true;
            self.alarm.as_mut().reset(Instant::now() + IDLE_TIME);
        }
        self.alarm.as_mut().poll(cx).map(|()| Some(Err(late("the answer stopped"))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
