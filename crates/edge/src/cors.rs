//! Calls from web pages: preflights, readable headers, and which origins may use long-term keys.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, Response};

use homeport_service::{Body, empty};

/// Response headers that browsers' scripts may read; SDKs correct their clock by `Date`.
const EXPOSED: &str = "Date, ETag, x-amzn-RequestId, x-amzn-ErrorType, x-amzn-ErrorMessage, x-amz-request-id, \
     x-amz-id-2, x-amz-version-id, x-amz-crc32, x-amz-checksum-crc32, x-amzn-trace-id, x-amz-function-error";
/// How long a browser may keep a preflight's answer, in seconds.
const MAX_AGE: &str = "172800";

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

/// Whether this is a preflight: answered before authentication. To a service (not to a bucket or its objects) it may
/// leave out what it asks for.
pub fn is_preflight(head: &Parts) -> bool {
    head.method == Method::OPTIONS
        && head.headers.contains_key(header::ORIGIN)
        && (head.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD) || head.uri.path() == "/")
}

/// The answer to a preflight of an AWS call. It allows any origin to ask: what the call itself may do is decided by its signature.
pub fn preflight(headers: &HeaderMap) -> Response<Body> {
    let mut response = Response::new(empty());
    let answer = response.headers_mut();
    answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    answer.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
    for (asked, allowed) in [
        (header::ACCESS_CONTROL_REQUEST_METHOD, header::ACCESS_CONTROL_ALLOW_METHODS),
        (header::ACCESS_CONTROL_REQUEST_HEADERS, header::ACCESS_CONTROL_ALLOW_HEADERS),
    ] {
        if let Some(wanted) = headers.get(asked) {
            answer.insert(allowed, wanted.clone());
        }
    }
    answer.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE));
    let varies = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";
    answer.insert(header::VARY, HeaderValue::from_static(varies));
    response
}

/// Marks an answer as readable by any origin, unless the service said otherwise itself (S3 by its bucket's rules). Where
/// the request is known to come from no page there is nobody to read it.
pub fn expose(answer: &mut HeaderMap, request: Option<&HeaderMap>) {
    if answer.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN) {
        return;
    }
    if request.is_none_or(|request| request.contains_key(header::ORIGIN)) {
        answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        answer.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn head(path: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = http::Request::builder().method(Method::OPTIONS).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn a_preflight_is_allowed_what_it_asks_for() {
        let asked = [
            ("origin", "https://a.example"),
            ("access-control-request-method", "PATCH"),
            ("access-control-request-headers", "x-amz-target, authorization"),
        ];
        let answer = preflight(&head("/", &asked).headers);
        assert_eq!(answer.status(), 200);
        for (name, value) in [
            ("access-control-allow-origin", "*"),
            ("access-control-allow-methods", "PATCH"),
            ("access-control-allow-headers", "x-amz-target, authorization"),
            ("access-control-max-age", "172800"),
            ("access-control-expose-headers", EXPOSED),
        ] {
            assert_eq!(answer.headers()[name], value);
        }
    }

    #[test]
    fn a_service_is_asked_by_a_page_and_a_bucket_for_a_method_too() {
        let (page, method) = (("origin", "https://a.example"), ("access-control-request-method", "GET"));
        assert!(is_preflight(&head("/", &[page])));
        assert!(is_preflight(&head("/photos", &[page, method])));
        assert!(!is_preflight(&head("/photos", &[page])));
        assert!(!is_preflight(&head("/", &[method])));
    }

    #[test]
    fn only_pages_are_told_what_they_may_read() {
        let exposed = |headers: &[(&str, &str)]| {
            let mut answer = HeaderMap::new();
            expose(&mut answer, Some(&head("/", headers).headers));
            assert_eq!(answer["vary"], "Origin");
            answer.contains_key("access-control-allow-origin")
        };
        assert!(exposed(&[("origin", "https://a.example")]));
        assert!(!exposed(&[]));
    }
}
