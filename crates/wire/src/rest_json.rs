//! REST-JSON.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use homeport_core::Fault;
use serde_json::Value;

use crate::head::{EncodedResponse, Head};
use crate::model::{Kind, Location, Member, Operation, Service, ShapeId};
use crate::{json, rest};

pub(crate) fn decode(
    service: &Service,
    operation: &Operation,
    head: &Head<'_>,
    body: &[u8],
) -> Result<Value, Fault> {
    rest::decode(service, operation, head, body, read_document)
}

fn read_document(service: &Service, shape: ShapeId, body: &[u8]) -> Result<Value, Fault> {
    let mut value = json::parse(service, body)?;
    json::read(service, shape, &mut value)?;
    Ok(value)
}

pub(crate) fn encode(
    service: &Service,
    operation: &Operation,
    output: &Value,
    request_id: &str,
) -> EncodedResponse {
    let shape = operation.output;
    let structure = shape.and_then(|shape| service.shape(shape).structure());
    let mut response = rest::write_bindings(service, operation, structure, output);
    response.set("x-amzn-requestid", request_id);
    let Some((shape, structure)) = shape.zip(structure) else {
        return response;
    };
    if let Some(payload) = structure.payload() {
        let value = output.get(payload.name).filter(|value| !value.is_null());
        if !rest::is_streaming(service, payload)
            && let Some(value) = value
        {
            write_payload(service, payload, value, &mut response);
        }
    } else if !matches!(response.status, 202 | 204)
        || structure.members.iter().any(|m| m.location == Location::Body)
    {
        response.headers.entry(http::header::CONTENT_TYPE).or_insert(JSON);
        json::write(service, shape, output, &mut response.body);
    }
    response
}

const JSON: http::HeaderValue = http::HeaderValue::from_static("application/json");

fn write_payload(service: &Service, payload: &Member, value: &Value, response: &mut EncodedResponse) {
    let text = value.as_str().unwrap_or_default();
    let content_type = match service.shape(payload.shape).kind {
        Kind::Blob => {
            response.body = BASE64.decode(text).unwrap_or_default();
            http::HeaderValue::from_static("application/octet-stream")
        }
        Kind::String => {
            response.body = text.as_bytes().to_vec();
            http::HeaderValue::from_static("text/plain")
        }
        _ => {
            json::write(service, payload.shape, value, &mut response.body);
            JSON
        }
    };
    response.headers.entry(http::header::CONTENT_TYPE).or_insert(content_type);
}
