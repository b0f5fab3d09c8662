//! CORS by a bucket's own rules (security decision 22), where the call is of a bucket.

use homeport_core::Fault;
use homeport_service::needs::{BucketCors, CorsAnswer, CorsQuestion};
use homeport_service::{Body, empty};
use http::request::Parts;
use http::{HeaderMap, HeaderName, Response, header};

use crate::cors::origin;
use crate::encode;
use crate::route::Routed;

/// Headers that say what a page may read: all are the rules' own, or none is there.
const OF_CORS: [HeaderName; 6] = [
    header::ACCESS_CONTROL_ALLOW_ORIGIN,
    header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
    header::ACCESS_CONTROL_ALLOW_METHODS,
    header::ACCESS_CONTROL_ALLOW_HEADERS,
    header::ACCESS_CONTROL_EXPOSE_HEADERS,
    header::ACCESS_CONTROL_MAX_AGE,
];

/// The most headers that a preflight may ask for.
const MAX_ASKED: usize = 100;

/// The answer to a preflight; none when no bucket is named or none has the name: what answers then is no bucket's.
pub(crate) async fn preflight(
    rules: &dyn BucketCors,
    routed: &Routed,
    head: &Parts,
) -> Option<Response<Body>> {
    let text = |name: HeaderName| head.headers.get(name).and_then(|value| value.to_str().ok());
    let headers = text(header::ACCESS_CONTROL_REQUEST_HEADERS).unwrap_or_default();
    let headers: Vec<&str> = headers.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    let bucket = bucket_of(routed)?;
    let asked = CorsQuestion {
        bucket: &bucket,
        origin: origin(&head.headers)?,
        method: text(header::ACCESS_CONTROL_REQUEST_METHOD)?,
        headers,
        preflight: true,
    };
    if asked.headers.len() > MAX_ASKED {
        return Some(forbidden(routed));
    }
    match rules.bucket_cors(asked).await {
        Ok(CorsAnswer::NoSuchBucket) => None,
        Ok(CorsAnswer::Refused) => Some(forbidden(routed)),
        Ok(CorsAnswer::Admitted(headers)) => {
            let mut response = Response::new(empty());
            *response.headers_mut() = headers;
            Some(response)
        }
        Err(error) => Some(encode::response(routed, Err(encode::unavailable(error)), "", None)),
    }
}

/// Gives an answer of S3 the CORS headers that the bucket's rules give it, and no others.
pub(crate) async fn mark(rules: &dyn BucketCors, routed: &Routed, head: &Parts, answer: &mut HeaderMap) {
    OF_CORS.iter().for_each(|name| {
        answer.remove(name);
    });
    let (Some(bucket), Some(origin)) = (bucket_of(routed), origin(&head.headers)) else { return };
    let method = head.method.as_str();
    let asked = CorsQuestion { bucket: &bucket, origin, method, headers: Vec::new(), preflight: false };
    if let Ok(CorsAnswer::Admitted(headers)) = rules.bucket_cors(asked).await {
        answer.extend(headers);
    }
}

fn bucket_of(routed: &Routed) -> Option<String> {
    let bucket = routed.path.trim_start_matches('/').split('/').next()?;
    let decoded = percent_encoding::percent_decode_str(bucket).decode_utf8().ok()?;
    (!decoded.is_empty()).then(|| decoded.into_owned())
}

fn forbidden(routed: &Routed) -> Response<Body> {
    let message = "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.";
    let mut response =
        encode::response(routed, Err(Fault::with_status("AccessForbidden", 403, message)), "", None);
    OF_CORS.iter().for_each(|name| {
        response.headers_mut().remove(name);
    });
    response
}
