//! The one way in and the one way out: a request to canonical JSON, canonical JSON to an answer.

use homeport_core::Fault;
use serde_json::{Map, Value};

use crate::head::{EncodedResponse, Head};
use crate::model::{Location, Operation, Protocol, Service};
use crate::{Models, constraints, json, query, rest, rest_json, rest_xml};

fn service_of(operation: &Operation) -> Result<&'static Service, Fault> {
    Models::service(operation.service).ok_or_else(|| Fault::internal("an operation of no service"))
}

impl Service {
    /// The protocol that a request to this service is in. Most services speak one; CloudWatch several.
    pub fn spoken(&self, head: &Head<'_>) -> Protocol {
        let form = head.headers.get(http::header::CONTENT_TYPE);
        let form = form.is_some_and(|v| v.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
        let asked = if head.headers.contains_key("x-amz-target") {
            Protocol::Json
        } else if form || head.query.contains("Action=") {
            Protocol::Query
        } else {
            self.protocol
        };
        if self.speaks.contains(&asked) { asked } else { self.protocol }
    }
}

/// Decodes a request into the canonical form of its operation's input: an object keyed by the model's member names,
/// blobs in base64, times in seconds since 1970, numbers and booleans typed. A streaming payload is not in it. The
/// value satisfies the model's constraints. Defaults are not filled in.
///
/// # Errors
/// What does not fit the model, in AWS's code and words.
pub fn decode(
    operation: &Operation,
    protocol: Protocol,
    head: &Head<'_>,
    body: &[u8],
) -> Result<Value, Fault> {
    let input = parse(operation, protocol, head, body)?;
    constraints::validate(service_of(operation)?, operation, &input)?;
    Ok(input)
}

/// As [`decode`], but only types are checked, not the model's constraints.
///
/// # Errors
/// What is malformed or of the wrong type, in AWS's code and words.
pub fn parse(
    operation: &Operation,
    protocol: Protocol,
    head: &Head<'_>,
    body: &[u8],
) -> Result<Value, Fault> {
    let service = service_of(operation)?;
    match protocol {
        Protocol::Json => parse_json(operation, body),
        Protocol::Query => query::decode(service, operation, head, body),
        Protocol::RestJson => rest_json::decode(service, operation, head, body),
        Protocol::RestXml => rest_xml::decode(service, operation, head, body),
        Protocol::RpcV2Cbor => {
            Err(Fault::with_status("UnsupportedProtocol", 415, "This protocol is not spoken here"))
        }
    }
}

/// As [`parse`], of a body in AWS JSON.
///
/// # Errors
/// What is malformed or of the wrong type, in AWS's code and words.
pub fn parse_json(operation: &Operation, body: &[u8]) -> Result<Value, Fault> {
    let service = service_of(operation)?;
    let mut value = json::parse(service, body)?;
    match operation.input {
        Some(shape) => json::read(service, shape, &mut value)?,
        None => value = Value::Object(Map::new()),
    }
    Ok(value)
}

/// Encodes an operation's output, given in canonical form. Members that the model does not know are left out.
pub fn encode(
    operation: &Operation,
    protocol: Protocol,
    output: &Value,
    request_id: &str,
) -> EncodedResponse {
    let Ok(service) = service_of(operation) else {
        return EncodedResponse::new(500);
    };
    match protocol {
        Protocol::Query => query::encode(service, operation, output, request_id),
        Protocol::RestJson => rest_json::encode(service, operation, output, request_id),
        Protocol::RestXml => rest_xml::encode(service, operation, output, request_id),
        Protocol::Json | Protocol::RpcV2Cbor => encode_aws_json(service, operation, output, request_id),
    }
}

fn encode_aws_json(
    service: &Service,
    operation: &Operation,
    output: &Value,
    request_id: &str,
) -> EncodedResponse {
    let mut response = EncodedResponse::new(200);
    response.set("content-type", json_content_type(service));
    response.set("x-amzn-requestid", request_id);
    if let Some(shape) = operation.output {
        json::write(service, shape, output, &mut response.body);
    }
    response
}

/// `application/x-amz-json-1.0` or `-1.1`.
pub(crate) fn json_content_type(service: &Service) -> &'static str {
    if service.json_version == "1.0" { "application/x-amz-json-1.0" } else { "application/x-amz-json-1.1" }
}

impl Operation {
    /// The input member that is a body not held in memory (S3's objects); decoding leaves it out.
    pub fn streaming_input(&self) -> Option<&'static str> {
        self.streaming(self.input)
    }

    /// The output member that is a body not held in memory; encoding leaves the body empty.
    pub fn streaming_output(&self) -> Option<&'static str> {
        self.streaming(self.output)
    }

    fn streaming(&self, shape: Option<crate::ShapeId>) -> Option<&'static str> {
        let service = service_of(self).ok()?;
        let payload = service.shape(shape?).structure()?.payload()?;
        rest::is_streaming(service, payload).then_some(payload.name)
    }

    /// Whether its input has members in the body.
    pub fn has_body(&self) -> bool {
        let structure = service_of(self)
            .ok()
            .zip(self.input)
            .and_then(|(service, shape)| service.shape(shape).structure());
        structure.is_some_and(|s| s.members.iter().any(|member| member.location == Location::Body))
    }
}
