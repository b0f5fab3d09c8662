//! An integration's answer on its way out.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};

use homeport_service::needs::DEPTH_HEADER;
use homeport_service::{Body, full};

/// Headers that the gateway sets itself or that mean something on this connection only: a backend's come out under
/// `x-amzn-Remapped-…`, or not at all.
const REMAPPED: [&str; 8] = [
    "authorization",
    "connection",
    "content-length",
    "date",
    "host",
    "server",
    "user-agent",
    "www-authenticate",
];
const DROPPED: [&str; 9] = [
    "expect",
    "keep-alive",
    "proxy-authenticate",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    DEPTH_HEADER,
];

/// Whether a header belongs to a connection, not to the message.
pub(super) fn is_hop_by_hop(name: &str) -> bool {
    name == "connection" || DROPPED.contains(&name)
}

/// An answer, still as a method sees it.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: bytes::Bytes,
}

impl Answer {
    /// An answer of this status; none if it is no status of a final answer.
    pub(super) fn new(status: u16) -> Option<Self> {
        let status = StatusCode::from_u16(status).ok().filter(|status| status.as_u16() >= 200)?;
        Some(Self { status, headers: HeaderMap::new(), body: bytes::Bytes::new() })
    }

    /// Adds a backend's header under the name it may have; values that cannot stand in a header are left out.
    pub(super) fn add(&mut self, name: &str, value: &[u8]) {
        let lower = name.to_ascii_lowercase();
        if DROPPED.contains(&lower.as_str()) {
            return;
        }
        let name =
            if REMAPPED.contains(&lower.as_str()) { format!("x-amzn-remapped-{lower}") } else { lower };
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value))
        {
            self.headers.append(name, value);
        }
    }

    /// The answer as it is sent. Without a type it is JSON.
    pub(super) fn response(self) -> Response<Body> {
        let mut response = Response::new(full(self.body));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        let headers = response.headers_mut();
        headers.entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
        response
    }
}

/// What user content carries on a host that it shares with other content (security decision 21).
pub(super) fn confine(headers: &mut HeaderMap) {
    headers.remove(header::SET_COOKIE);
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}
