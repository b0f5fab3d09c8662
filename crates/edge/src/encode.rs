use std::fmt;

use homeport_core::Fault;
use homeport_service::needs::{DEPTH_HEADER, MAX_INVOCATION_DEPTH, Unidentified};
use homeport_service::{Answer, Body, Peer, Refusal, Via, full};
use homeport_sigv4::Dialect;
use homeport_wire::{EncodedResponse, Protocol, encode_fault};
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};

use crate::coding;
use crate::cors;
use crate::dynamodb;
use crate::route::Routed;

/// What an operation answered, or why it didn't.
pub(crate) type Answered = Result<Answer, Fault>;

/// How many invocations led to this call.
pub(crate) fn depth(head: &Parts, peer: &Peer) -> u8 {
    if peer.via != Via::Functions {
        return 0;
    }
    let text = head.headers.get(DEPTH_HEADER).and_then(|value| value.to_str().ok());
    text.and_then(|text| text.parse().ok()).unwrap_or(0).min(MAX_INVOCATION_DEPTH)
}

/// How refusals of signatures are named in the protocol the client spoke.
pub(crate) fn dialect(routed: &Routed) -> Dialect {
    match routed.protocol {
        Protocol::Query => Dialect::Query,
        Protocol::RestJson => Dialect::RestJson,
        Protocol::RestXml => Dialect::S3,
        Protocol::Json | Protocol::RpcV2Cbor => Dialect::Json,
    }
}

/// IAM's refusal, as the protocol names it.
pub(crate) fn denied(routed: &Routed, refusal: &Refusal) -> Fault {
    match dialect(routed) {
        Dialect::Json => Fault::with_status("AccessDeniedException", 400, refusal.message.as_str()),
        Dialect::RestJson => Fault::with_status("AccessDeniedException", 403, refusal.message.as_str()),
        Dialect::Query => Fault::with_status("AccessDenied", 403, refusal.message.as_str()),
        Dialect::S3 => Fault::with_status("AccessDenied", 403, refusal.message.as_str()),
    }
    .because(&refusal.reason)
}

/// The operation needs something and did not say what: refused, as the protocol names it.
pub(crate) fn nothing_stated(routed: &Routed) -> Fault {
    let refusal = Refusal {
        action: String::new(),
        resource: String::new(),
        message: "User is not authorized to perform this operation".to_owned(),
        reason: "the call names nothing that could be allowed".to_owned(),
        untrusting_role: None,
    };
    denied(routed, &refusal)
}

/// A key that identifies nobody, as the protocol names it.
pub(crate) fn unidentified(unknown: Unidentified, dialect: Dialect) -> Fault {
    let cause = unknown.to_string();
    let fault = match unknown {
        Unidentified::Store(error) => return unavailable(error),
        Unidentified::UnknownKey => unknown_key(dialect),
        Unidentified::InvalidToken | Unidentified::Revoked => invalid_token(dialect),
        Unidentified::Expired => expired(dialect),
    };
    fault.because(cause)
}

fn unknown_key(dialect: Dialect) -> Fault {
    let invalid = "The security token included in the request is invalid.";
    match dialect {
        Dialect::S3 => Fault::with_status(
            "InvalidAccessKeyId",
            403,
            "The AWS Access Key Id you provided does not exist in our records.",
        ),
        Dialect::Query => Fault::with_status("InvalidClientTokenId", 403, invalid),
        Dialect::RestJson => Fault::with_status("UnrecognizedClientException", 403, invalid),
        Dialect::Json => Fault::with_status("UnrecognizedClientException", 400, invalid),
    }
}

fn invalid_token(dialect: Dialect) -> Fault {
    match dialect {
        Dialect::S3 => {
            Fault::with_status("InvalidToken", 400, "The provided token is malformed or otherwise invalid.")
        }
        other => unknown_key(other),
    }
}

fn expired(dialect: Dialect) -> Fault {
    let message = "The security token included in the request is expired";
    match dialect {
        Dialect::S3 => Fault::with_status("ExpiredToken", 400, "The provided token has expired."),
        Dialect::Query => Fault::with_status("ExpiredToken", 403, message),
        Dialect::RestJson => Fault::with_status("ExpiredTokenException", 403, message),
        Dialect::Json => Fault::with_status("ExpiredTokenException", 400, message),
    }
}

/// The store did not answer: the client may try again.
pub(crate) fn unavailable(cause: impl fmt::Display) -> Fault {
    Fault::with_status("ServiceUnavailable", 503, "The service is unavailable. Try again.").because(cause)
}

/// The call is for a service that isn't part of this program.
pub(crate) fn no_such_service() -> Fault {
    Fault::with_status("UnknownOperationException", 404, "No service here knows this call.")
}

/// A fault before its protocol is known.
pub(crate) fn bare(fault: &Fault, request_id: &str) -> Response<Body> {
    let body = serde_json::json!({"__type": fault.code, "message": fault.message}).to_string();
    let mut response = Response::new(full(body));
    *response.status_mut() = StatusCode::from_u16(fault.status).unwrap_or(StatusCode::BAD_REQUEST);
    let headers = response.headers_mut();
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert("x-amzn-requestid", id);
    }
    cors::expose(headers, None);
    response
}

/// Encodes what was answered, in the protocol the client spoke. `head` is the request's, where its wishes count.
pub(crate) fn response(
    routed: &Routed,
    answered: Answered,
    request_id: &str,
    head: Option<&Parts>,
) -> Response<Body> {
    let gzip = head.is_some_and(|head| coding::takes_gzip(&head.headers));
    let head_only = head.is_some_and(|head| head.method == http::Method::HEAD);
    let mut response = match answered {
        Ok(Answer::Response(response)) => response,
        Ok(Answer::Json(bytes)) => json(routed, bytes, gzip),
        Ok(Answer::Value(value)) => match routed.operation {
            Some(operation) => {
                let encoded = homeport_wire::encode(operation, routed.protocol, &value, request_id);
                http_of(routed, encoded, gzip)
            }
            None => return bare(&Fault::internal("an answer to no operation"), request_id),
        },
        Err(fault) => {
            let mut encoded = encode_fault(routed.model, routed.protocol, &fault, request_id);
            if head_only {
                encoded.body.clear();
            }
            http_of(routed, encoded, gzip)
        }
    };
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(request_id) {
        let name = if routed.model.name == "s3" { "x-amz-request-id" } else { "x-amzn-requestid" };
        headers.insert(name, id);
    }
    dynamodb::mark(routed, head, headers);
    cors::expose(headers, head.map(|head| &head.headers));
    response
}

fn json(routed: &Routed, bytes: bytes::Bytes, gzip: bool) -> Response<Body> {
    let version = if routed.model.json_version == "1.0" {
        "application/x-amz-json-1.0"
    } else {
        "application/x-amz-json-1.1"
    };
    let mut response = coding::answer(routed, bytes, gzip);
    response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static(version));
    response
}

fn http_of(routed: &Routed, encoded: EncodedResponse, gzip: bool) -> Response<Body> {
    let mut response = coding::answer(routed, encoded.body.into(), gzip);
    *response.status_mut() =
        StatusCode::from_u16(encoded.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().extend(encoded.headers);
    response
}
