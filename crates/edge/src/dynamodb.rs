//! What DynamoDB does with HTTP as no other service does.

use homeport_service::{Body, OperationInfo};
use http::header::{CONTENT_TYPE, SERVER};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};

use crate::coding;
use crate::cors;
use crate::route::Routed;

const JSON_1_0: &str = "application/x-amz-json-1.0";
const JSON: &str = "application/json";

/// The answer to what cannot be a call, whoever made it: a GET is told that the service is healthy, and of other
/// methods and of bodies that aren't JSON by their type it has no operation.
pub(crate) fn no_call(
    routed: &Routed,
    head: &Parts,
    has_body: bool,
    request_id: &str,
) -> Option<Response<Body>> {
    let (status, said) = if head.method == Method::GET {
        // AWS's space.
        (StatusCode::OK, format!("healthy: dynamodb.{}.amazonaws.com ", routed.region))
    } else if head.method != Method::POST || (has_body && asked_type(&head.headers).is_none()) {
        (StatusCode::NOT_FOUND, "<UnknownOperationException/>\n".to_owned())
    } else {
        return None;
    };
    let mut response = coding::answer(routed, said.into(), false);
    *response.status_mut() = status;
    mark(routed, None, response.headers_mut());
    if let Ok(id) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert("x-amzn-requestid", id);
    }
    cors::expose(response.headers_mut(), Some(&head.headers));
    Some(response)
}

/// The largest body that is read, in bytes: a description of a table is small, and the tree that it is read into takes
/// some seventy times its bytes.
const MAX_DESCRIPTION: usize = 1 << 20;

/// How large a body may be where the service takes so much.
pub(crate) fn max_body(routed: &Routed, info: OperationInfo, most: usize) -> usize {
    let is_description = routed.model.is_dynamodb() && info.by_hand.is_none();
    if is_description { most.min(MAX_DESCRIPTION) } else { most }
}

/// Gives an answer of DynamoDB's the headers that are its own. JSON is called what the client called it.
pub(crate) fn mark(routed: &Routed, head: Option<&Parts>, answer: &mut HeaderMap) {
    if !routed.model.is_dynamodb() {
        return;
    }
    answer.insert(SERVER, HeaderValue::from_static("Server"));
    if head.is_some_and(|head| asked_type(&head.headers) == Some(JSON)) && answer.contains_key(CONTENT_TYPE) {
        answer.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    }
}

/// The type of a body that can be a call's.
fn asked_type(headers: &HeaderMap) -> Option<&'static str> {
    let text = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let essence = text.split(';').next()?.trim();
    [JSON_1_0, JSON].into_iter().find(|name| essence.eq_ignore_ascii_case(name))
}
