use http::header::HOST;
use http::{HeaderValue, Method, Request, Response, StatusCode, Version};

use super::limits::{Limits, MAX_HEADERS};
use homeport_service::{Body, empty};

/// What every request must hold to, whoever it is for; otherwise the status of its refusal.
pub(crate) fn check<B>(request: &mut Request<B>, limits: &Limits) -> Result<(), StatusCode> {
    if request.headers().len() > MAX_HEADERS {
        return Err(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    }
    if matches!(*request.method(), Method::CONNECT | Method::TRACE) {
        return Err(StatusCode::METHOD_NOT_ALLOWED);
    }
    if request.uri().path_and_query().is_none_or(|target| target.as_str().len() > limits.target_bytes) {
        return Err(StatusCode::URI_TOO_LONG);
    }
    one_host(request)
}

/// One host, and the same wherever it stands: `Host`, the target's authority, `:authority`. Behind this every
/// request but those of HTTP/1.0 has the header.
fn one_host<B>(request: &mut Request<B>) -> Result<(), StatusCode> {
    let mut said = request.headers().get_all(HOST).iter();
    let (host, second) = (said.next(), said.next());
    let authority = request.uri().authority().map(|authority| authority.as_str());
    match (host, authority) {
        _ if second.is_some() => Err(StatusCode::BAD_REQUEST),
        (Some(host), Some(authority)) if host.as_bytes().eq_ignore_ascii_case(authority.as_bytes()) => Ok(()),
        (Some(_), Some(_)) => Err(StatusCode::BAD_REQUEST),
        (Some(_), None) => Ok(()),
        (None, Some(authority)) => {
            let host = HeaderValue::from_str(authority).map_err(|_| StatusCode::BAD_REQUEST)?;
            request.headers_mut().insert(HOST, host);
            Ok(())
        }
        (None, None) if request.version() == Version::HTTP_10 => Ok(()),
        (None, None) => Err(StatusCode::BAD_REQUEST),
    }
}

/// A refusal that no service speaks: without a body, and the connection ends behind it.
pub(crate) fn refuse(status: StatusCode, version: Version) -> Response<Body> {
    let mut response = Response::new(empty());
    *response.status_mut() = status;
    if version < Version::HTTP_2 {
        response.headers_mut().insert(http::header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(builder: http::request::Builder) -> Result<Option<String>, u16> {
        let mut request = builder.body(()).unwrap();
        check(&mut request, &Limits::default()).map_err(|status| status.as_u16())?;
        Ok(request.headers().get(HOST).map(|host| host.to_str().unwrap().to_owned()))
    }

    #[test]
    fn a_request_names_one_host() {
        let get = || Request::get("/");
        assert_eq!(checked(get().header("host", "a")), Ok(Some("a".into())));
        assert_eq!(checked(get().header("host", "a").header("host", "a")), Err(400));
        assert_eq!(checked(get()), Err(400));
        assert_eq!(checked(get().version(Version::HTTP_10)), Ok(None));
        assert_eq!(checked(Request::get("https://a:1/x").version(Version::HTTP_2)), Ok(Some("a:1".into())));
        assert_eq!(checked(Request::get("http://a/").header("host", "b")), Err(400));
        assert_eq!(checked(Request::get("http://a/").header("host", "A")), Ok(Some("A".into())));
    }

    #[test]
    fn what_is_too_much_is_refused() {
        let long = format!("/{}", "x".repeat(Limits::default().target_bytes));
        assert_eq!(checked(Request::get(long).header("host", "a")), Err(414));
        let many = (0..MAX_HEADERS)
            .fold(Request::get("/").header("host", "a"), |request, _| request.header("x", "y"));
        assert_eq!(checked(many), Err(431));
        assert_eq!(checked(Request::trace("/").header("host", "a")), Err(405));
        assert_eq!(checked(Request::connect("a:1")), Err(405));
    }
}
