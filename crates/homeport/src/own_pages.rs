use std::sync::Arc;

use bytes::Bytes;
use homeport_core::{Arn, BoxFuture, Region};
use homeport_edge::Pipeline;
use homeport_edge::cors::was_forwarded;
use homeport_service::needs::{CheckSignature, SignedCall};
use homeport_service::{Body, Peer, Permission, Plane, full};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, ORIGIN};
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};

use crate::metrics::Metrics;
use crate::readiness::Readiness;

/// `/_homeport/*`: health, ready, metrics.
pub(crate) struct OwnPages {
    pub(crate) readiness: Arc<Readiness>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) pipeline: Arc<Pipeline>,
}

impl Plane for OwnPages {
    fn claims(&self, head: &Parts, _: &str) -> bool {
        head.uri.path().starts_with("/_homeport/")
    }

    fn handle<'a>(&'a self, head: Parts, _: Body, peer: Peer) -> BoxFuture<'a, Response<Body>> {
        Box::pin(async move {
            if !matches!(head.method, Method::GET | Method::HEAD) {
                return text(StatusCode::METHOD_NOT_ALLOWED, "");
            }
            match head.uri.path() {
                "/_homeport/health" => text(StatusCode::OK, "yes\n"),
                "/_homeport/ready" => self.ready().await,
                "/_homeport/metrics" => self.metrics(&head, peer).await,
                _ => text(StatusCode::NOT_FOUND, ""),
            }
        })
    }
}

impl OwnPages {
    async fn ready(&self) -> Response<Body> {
        match self.readiness.check().await {
            Ok(()) => text(StatusCode::OK, "yes\n"),
            Err(why) => text(StatusCode::SERVICE_UNAVAILABLE, &format!("no: {why}\n")),
        }
    }

    /// For programs on this machine that come straight to us, or for whom IAM allows it.
    async fn metrics(&self, head: &Parts, peer: Peer) -> Response<Body> {
        let local = peer.address.ip().to_canonical().is_loopback()
            && !was_forwarded(&head.headers)
            && !is_from_a_page(&head.headers);
        if !local && !self.is_allowed(head, peer).await {
            return text(StatusCode::FORBIDDEN, "");
        }
        text(StatusCode::OK, &self.metrics.page(self.pipeline.lost_audit_rows()))
    }

    async fn is_allowed(&self, head: &Parts, peer: Peer) -> bool {
        let (region, body) = (Region::default_region(), Bytes::new());
        let call = SignedCall { head, body: &body, peer, service: "homeport", region: &region };
        let everything = Arn::new("homeport", "", "", "metrics");
        let permissions = vec![Permission::new("homeport:GetMetrics", everything)];
        self.pipeline.check_signature(call, permissions).await.is_ok()
    }
}

/// Whether a web page asks, be it one in a bucket at a host of its own.
fn is_from_a_page(headers: &HeaderMap) -> bool {
    headers.contains_key(ORIGIN) || headers.get("sec-fetch-site").is_some_and(|site| site != "none")
}

fn text(status: StatusCode, body: &str) -> Response<Body> {
    let mut response = Response::new(full(body.to_owned()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
