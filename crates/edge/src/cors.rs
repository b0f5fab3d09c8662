//! Calls from web pages: preflights, readable headers, and which origins may use long-term keys.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode};

use homeport_service::{Body, empty};

/// Response headers that browsers' scripts may read; SDKs correct their clock by `Date`.
const EXPOSED: &str = "Date, ETag, x-amzn-RequestId, x-amzn-ErrorType, x-amzn-ErrorMessage, x-amz-request-id, \
     x-amz-id-2, x-amz-version-id, x-amz-crc32, x-amz-checksum-crc32, x-amzn-trace-id, x-amz-function-error";
/// How long a browser may keep a preflight's answer, in seconds.
const MAX_AGE: &str = "7200";

/// Which web pages may call with long-term keys (security decision 22). Public operations and
/// temporary credentials answer any origin, without credentials mode.
#[derive(Clone, Debug, Default)]
pub struct Origins {
    allowed: Vec<String>,
}

impl Origins {
    /// Pages of these origins, such as `https://console.example.com`.
    pub fn new(allowed: Vec<String>) -> Self {
        Self { allowed }
    }

    /// Whether a page of this origin may use long-term keys.
    pub fn may_use_long_term_keys(&self, origin: Option<&str>) -> bool {
        origin.is_none_or(|origin| self.allowed.iter().any(|allowed| allowed == origin))
    }
}

/// The `Origin` of a call that a browser's script made.
pub fn origin(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::ORIGIN).and_then(|value| value.to_str().ok())
}

/// Whether this is a preflight: answered before authentication.
pub fn is_preflight(head: &Parts) -> bool {
    head.method == Method::OPTIONS
        && head.headers.contains_key(header::ORIGIN)
        && head.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// The answer to a preflight of an AWS call. It allows any origin to ask: what the call itself may do is decided by its signature.
pub fn preflight(headers: &HeaderMap) -> Response<Body> {
    let mut response = Response::new(empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let answer = response.headers_mut();
    answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    answer.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE"),
    );
    if let Some(wanted) = headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        answer.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
    }
    answer.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE));
    answer.insert(header::VARY, HeaderValue::from_static("Origin, Access-Control-Request-Headers"));
    response
}

/// Marks an answer as readable by any origin, unless the service said otherwise itself (S3 by its bucket's rules).
pub fn expose(answer: &mut HeaderMap) {
    if answer.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN) {
        return;
    }
    answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    answer.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
    answer.append(header::VARY, HeaderValue::from_static("Origin"));
}

/// Headers that only proxies add: a call with one of them didn't come straight from a local client.
pub const FORWARDING: [HeaderName; 2] = [header::FORWARDED, header::VIA];

/// Whether a proxy says it passed this call on.
pub fn was_forwarded(headers: &HeaderMap) -> bool {
    FORWARDING.iter().any(|name| headers.contains_key(name))
        || headers
            .keys()
            .any(|name| name.as_str().starts_with("x-forwarded-") || name.as_str() == "x-real-ip")
}
