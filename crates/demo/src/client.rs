use std::fmt;

use bytes::Bytes;
use homeport_core::SharedClock;
use homeport_sigv4::{Credentials, SignedPayload, Signer, uri_encode};
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// The largest answer that is read, in bytes.
const MAX_ANSWER: usize = 16 << 20;
/// The sample's region.
pub(crate) const REGION: &str = "us-east-1";

/// An access key, its secret, and the session token of temporary credentials.
#[derive(Clone)]
pub struct Keys {
    /// `AKIA…` or `ASIA…`.
    pub access_key_id: String,
    /// The secret.
    pub secret_access_key: String,
    /// The session token, of temporary credentials.
    pub session_token: Option<String>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", self.access_key_id)
    }
}

/// A call that did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum CallFailed {
    /// The server refused it.
    #[error("{call} was refused with {status}: {answer}")]
    Refused {
        /// What was called.
        call: String,
        /// The HTTP status.
        status: u16,
        /// The answer's text, cut to 500 characters.
        answer: String,
    },
    /// The server did not answer.
    #[error("{call} was not answered: {reason}")]
    Unanswered {
        /// What was called.
        call: String,
        /// Why.
        reason: String,
    },
    /// The answer lacks what was expected in it.
    #[error("{0}")]
    Unexpected(String),
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// The body as JSON; null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Whoever calls Homeport at one address: with keys, or without.
#[derive(Clone)]
pub struct Aws {
    http: Client<HttpConnector, Full<Bytes>>,
    host: String,
    keys: Option<Keys>,
    clock: SharedClock,
}

impl Aws {
    /// A caller without keys. `host` is `ADDRESS:PORT`, spoken to by plain HTTP.
    pub fn anonymous(host: &str, clock: SharedClock) -> Self {
        Self {
            http: Client::builder(TokioExecutor::new()).build_http(),
            host: host.to_owned(),
            keys: None,
            clock,
        }
    }

    /// The same caller with keys.
    #[must_use]
    pub fn with(&self, keys: Keys) -> Self {
        Self { keys: Some(keys), ..self.clone() }
    }

    /// A call of an AWS JSON service; `target` is `PREFIX.Operation`.
    pub async fn json(&self, signing_name: &str, target: &str, input: Value) -> Result<Value, CallFailed> {
        // DynamoDB takes no other version than its own.
        let version = if signing_name == "dynamodb" { "1.0" } else { "1.1" };
        let content_type = format!("application/x-amz-json-{version}");
        let headers = [("content-type", content_type.as_str()), ("x-amz-target", target)];
        let answer = self.send(signing_name, "POST", "/", &headers, input.to_string().into_bytes()).await?;
        succeeded(target, answer).map(|answer| answer.json())
    }

    /// A call of a Query service.
    pub async fn query(
        &self,
        service: &str,
        version: &str,
        action: &str,
        input: &[(&str, &str)],
    ) -> Result<String, CallFailed> {
        let mut form = format!("Action={action}&Version={version}");
        for (name, value) in input {
            form.push_str(&format!("&{name}={}", uri_encode(value, false)));
        }
        let headers = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
        let answer = self.send(service, "POST", "/", &headers, form.into_bytes()).await?;
        succeeded(action, answer).map(|answer| answer.text())
    }

    /// A call of a REST service.
    pub async fn rest(
        &self,
        service: &str,
        method: &str,
        path: &str,
        input: Option<Value>,
    ) -> Result<Value, CallFailed> {
        let body = input.map(|input| input.to_string().into_bytes()).unwrap_or_default();
        let answer = self.send(service, method, path, &[("content-type", "application/json")], body).await?;
        succeeded(&format!("{method} {path}"), answer).map(|answer| answer.json())
    }

    /// Sends a request, signed for `service` if there are keys, and takes whatever is answered.
    pub async fn send(
        &self,
        service: &str,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Answer, CallFailed> {
        let unanswered =
            |reason: String| CallFailed::Unanswered { call: format!("{method} {}", path_of(target)), reason };
        let mut map = HeaderMap::new();
        map.insert("host", HeaderValue::from_str(&self.host).map_err(|error| unanswered(error.to_string()))?);
        for (name, value) in headers {
            let name =
                HeaderName::from_bytes(name.as_bytes()).map_err(|error| unanswered(error.to_string()))?;
            map.insert(name, HeaderValue::from_str(value).map_err(|error| unanswered(error.to_string()))?);
        }
        if let Some(keys) = &self.keys {
            let credentials = Credentials {
                access_key_id: &keys.access_key_id,
                secret_access_key: &keys.secret_access_key,
                session_token: keys.session_token.as_deref(),
            };
            let signer = Signer { credentials, region: REGION, service, at: self.clock.now() };
            signer
                .sign(method, target, &mut map, SignedPayload::Bytes(&body))
                .map_err(|refusal| unanswered(refusal.to_string()))?;
        }
        let request = Request::builder().method(method).uri(format!("http://{}{target}", self.host));
        let mut request = request.body(Full::from(body)).map_err(|error| unanswered(error.to_string()))?;
        *request.headers_mut() = map;
        let response = self.http.request(request).await.map_err(|error| unanswered(error.to_string()))?;
        let (head, body) = response.into_parts();
        let body =
            Limited::new(body, MAX_ANSWER).collect().await.map_err(|error| unanswered(error.to_string()))?;
        Ok(Answer { status: head.status.as_u16(), headers: head.headers, body: body.to_bytes() })
    }
}

/// Queries may hold signatures: messages show the path alone.
fn path_of(target: &str) -> &str {
    target.split('?').next().unwrap_or(target)
}

fn succeeded(call: &str, answer: Answer) -> Result<Answer, CallFailed> {
    if answer.status < 300 {
        return Ok(answer);
    }
    let text = answer.text().chars().take(500).collect();
    Err(CallFailed::Refused { call: call.to_owned(), status: answer.status, answer: text })
}

/// A text within an answer, by the path to it.
pub(crate) fn text(value: &Value, path: &str) -> Result<String, CallFailed> {
    let found = value.pointer(path).and_then(Value::as_str).map(str::to_owned);
    found.ok_or_else(|| CallFailed::Unexpected(format!("an answer has no {path}")))
}
