use std::net::SocketAddr;
use std::sync::Arc;

use homeport_service::{Body, Peer, Via, full};
use homeport_sigv4::{Credentials, SignedPayload, Signer};
use homeport_wire::{Models, Protocol};
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use http_body_util::BodyExt;
use serde_json::Value;

use crate::Reply;
use crate::app::Shared;
use crate::request;

/// Somebody who calls: with keys, or anonymously.
#[derive(Clone)]
pub struct TestCaller {
    app: Arc<Shared>,
    keys: Option<(String, String, Option<String>)>,
    region: String,
    address: SocketAddr,
    clock_error_seconds: i64,
}

impl TestCaller {
    pub(crate) fn new(app: Arc<Shared>, keys: Option<(String, String, Option<String>)>) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], 50_000));
        Self { app, keys, region: "us-east-1".to_owned(), address, clock_error_seconds: 0 }
    }

    /// The same caller in another region.
    #[must_use]
    pub fn in_region(mut self, region: &str) -> Self {
        self.region = region.to_owned();
        self
    }

    /// The same caller from another address.
    #[must_use]
    pub fn from(mut self, address: &str) -> Self {
        self.address = format!("{address}:50000").parse().expect("a test's address parses");
        self
    }

    /// The same caller with a clock that is wrong by so many seconds.
    #[must_use]
    pub fn with_clock_error(mut self, seconds: i64) -> Self {
        self.clock_error_seconds = seconds;
        self
    }

    /// Calls an operation; `service` is the model's name, `input` has the model's member names.
    pub async fn call(&self, service: &str, operation: &str, input: Value) -> Reply {
        let model = Models::service(service).expect("the service has a model");
        let modelled = model.operation(operation).expect("the service has the operation");
        let request = request::encode(model, modelled, &input);
        let mut headers: Vec<(&str, &str)> =
            request.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        // Without a signature only its host says for which REST service a call is.
        let host = format!("{}.{}.amazonaws.com", model.endpoint_prefix, self.region);
        if self.keys.is_none() && model.protocol == Protocol::RestJson {
            headers.push(("host", &host));
        }
        let mut reply =
            self.send(model.signing_name, request.method, &request.target, &headers, &request.body).await;
        reply.call = format!("{service}:{operation}");
        reply
    }

    /// Sends a request of any form, signed for `signing_name` if the caller has keys.
    pub async fn send(
        &self,
        signing_name: &str,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Reply {
        let mut map = HeaderMap::new();
        map.insert("host", HeaderValue::from_static("127.0.0.1:4566"));
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a test's header name is one");
            map.insert(name, HeaderValue::from_str(value).expect("a test's header value is one"));
        }
        if let Some((key, secret, token)) = &self.keys {
            let credentials = Credentials {
                access_key_id: key,
                secret_access_key: secret,
                session_token: token.as_deref(),
            };
            let at = self.app.clock_now().plus_seconds(self.clock_error_seconds);
            let signer = Signer { credentials, region: &self.region, service: signing_name, at };
            signer
                .sign(method, target, &mut map, SignedPayload::Bytes(body))
                .expect("a test's request can be signed");
        }
        self.send_raw(method, target, map, body).await
    }

    /// Sends a request as it is.
    pub async fn send_raw(&self, method: &str, target: &str, headers: HeaderMap, body: &[u8]) -> Reply {
        self.send_streamed(method, target, headers, full(body.to_vec())).await
    }

    /// Sends a request as it is, with a body that may stream.
    pub async fn send_streamed(&self, method: &str, target: &str, headers: HeaderMap, body: Body) -> Reply {
        let mut request = Request::builder().method(method).uri(target).body(body).expect("a request");
        *request.headers_mut() = headers;
        let peer = Peer { address: self.address, client: self.address.ip(), secure: false, via: Via::Public };
        let response = self.app.front.handle(request, peer).await;
        let (head, body) = response.into_parts();
        let body = body.collect().await.expect("an answer's body ends well").to_bytes();
        Reply {
            status: head.status.as_u16(),
            headers: head.headers,
            body,
            call: format!("{method} {target}"),
        }
    }
}
