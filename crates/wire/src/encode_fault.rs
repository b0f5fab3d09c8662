//! Errors, as each protocol writes them.

use homeport_core::{Blame, Fault};
use serde_json::Value;

use crate::codec::json_content_type;
use crate::head::EncodedResponse;
use crate::model::{Protocol, Service};
use crate::{json, xml};

/// Encodes a refusal. Its `members` go along, its `cause` does not. (To a HEAD request the body is not sent.)
pub fn encode_fault(
    service: &Service,
    protocol: Protocol,
    fault: &Fault,
    request_id: &str,
) -> EncodedResponse {
    let mut response = EncodedResponse::new(fault.status);
    let code = code(service, protocol, fault);
    match protocol {
        Protocol::Query => {
            response.set("content-type", "text/xml");
            response.set("x-amzn-requestid", request_id);
            response.body = query_body(service, code, fault, request_id).into_bytes();
        }
        Protocol::RestXml => {
            response.set("content-type", "application/xml");
            response.set("x-amz-request-id", request_id);
            response.set("x-amz-id-2", request_id);
            if fault.status != 304 {
                response.body = s3_body(code, fault, request_id).into_bytes();
            }
        }
        Protocol::RestJson => {
            response.set("content-type", "application/json");
            response.set("x-amzn-requestid", request_id);
            response.set("x-amzn-errortype", code);
            response.body = json_body(service, None, fault);
        }
        Protocol::Json | Protocol::RpcV2Cbor => {
            response.set("content-type", json_content_type(service));
            response.set("x-amzn-requestid", request_id);
            response.set("x-amzn-errortype", code);
            if service.query_compatible {
                response
                    .set("x-amzn-query-error", &format!("{};{}", query_code(service, code), blame(fault)));
            }
            response.body = json_body(service, Some(&qualified(service, code)), fault);
        }
    }
    response
}

fn blame(fault: &Fault) -> &'static str {
    match fault.blame() {
        Blame::Sender => "Sender",
        Blame::Receiver => "Receiver",
    }
}

/// The code that a client of this service knows the fault by.
fn code<'f>(service: &Service, protocol: Protocol, fault: &'f Fault) -> &'f str {
    match (fault.code.as_ref(), service.name) {
        ("InternalFailure", "s3") => "InternalError",
        ("InternalFailure", "dynamodb" | "dynamodbstreams") => "InternalServerError",
        ("InternalFailure", "cognito-idp" | "cognito-identity") => "InternalErrorException",
        ("InternalFailure", "lambda") => "ServiceException",
        (code, _) if protocol == Protocol::Query => query_code(service, code),
        (code, _) => code,
    }
}

/// `NoSuchEntity` for the shape `NoSuchEntityException`, where the model says so.
fn query_code<'c>(service: &Service, code: &'c str) -> &'c str {
    let error = service.shape_named(code).and_then(|shape| shape.structure()?.error);
    error.and_then(|error| error.code).unwrap_or(code)
}

/// DynamoDB's codes carry the namespace that its clients have always seen.
fn qualified(service: &Service, code: &str) -> String {
    match (service.name, code) {
        ("dynamodb" | "dynamodbstreams", "ValidationException") => {
            format!("com.amazon.coral.validate#{code}")
        }
        (
            "dynamodb" | "dynamodbstreams",
            "SerializationException"
            | "UnknownOperationException"
            | "AccessDeniedException"
            | "UnrecognizedClientException"
            | "MissingAuthenticationTokenException"
            | "IncompleteSignatureException"
            | "InvalidSignatureException",
        ) => format!("com.amazon.coral.service#{code}"),
        ("dynamodb", _) => format!("com.amazonaws.dynamodb.v20120810#{code}"),
        _ => code.to_owned(),
    }
}

fn json_body(service: &Service, qualified: Option<&str>, fault: &Fault) -> Vec<u8> {
    let mut body = Members(Vec::with_capacity(96 + fault.message.len()));
    if let Some(qualified) = qualified {
        body.text("__type", qualified);
    }
    if service.name == "lambda" {
        body.text("Type", if fault.status >= 500 { "Service" } else { "User" });
    }
    if !(service.is_dynamodb() && fault.message.is_empty()) {
        body.text(message_member(service, fault), &fault.message);
    }
    for (name, value) in &fault.members {
        body.name(name);
        body.0.extend_from_slice(value.as_bytes());
    }
    body.0.push(b'}');
    body.0
}

/// What the member is called that has the message.
fn message_member(service: &Service, fault: &Fault) -> &'static str {
    let modelled = service.error(&fault.code).and_then(|shape| shape.structure());
    let capital = modelled.is_some_and(|structure| structure.member("Message").is_some());
    // The framework's own errors are in no model. DynamoDB writes this one otherwise than all others.
    let of_framework = service.is_dynamodb() && fault.code == "SerializationException";
    if capital || of_framework { "Message" } else { "message" }
}

/// A JSON object in the making.
struct Members(Vec<u8>);

impl Members {
    fn name(&mut self, name: &str) {
        self.0.push(if self.0.is_empty() { b'{' } else { b',' });
        json::write_text(&mut self.0, name);
        self.0.push(b':');
    }

    fn text(&mut self, name: &str, text: &str) {
        self.name(name);
        json::write_text(&mut self.0, text);
    }
}

fn query_body(service: &Service, code: &str, fault: &Fault, request_id: &str) -> String {
    let mut body =
        format!("<ErrorResponse xmlns=\"{}\"><Error><Type>{}</Type>", service.xml_namespace, blame(fault));
    xml::leaf(&mut body, "Code", code);
    xml::leaf(&mut body, "Message", &fault.message);
    members(&mut body, fault);
    body.push_str("</Error>");
    xml::leaf(&mut body, "RequestId", request_id);
    body.push_str("</ErrorResponse>");
    body
}

fn s3_body(code: &str, fault: &Fault, request_id: &str) -> String {
    let mut body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>".to_owned();
    xml::leaf(&mut body, "Code", code);
    xml::leaf(&mut body, "Message", &fault.message);
    members(&mut body, fault);
    xml::leaf(&mut body, "RequestId", request_id);
    xml::leaf(&mut body, "HostId", request_id);
    body.push_str("</Error>");
    body
}

/// A fault's members as elements: strings bare, others as JSON.
fn members(body: &mut String, fault: &Fault) {
    for (name, value) in &fault.members {
        match serde_json::from_str(value) {
            Ok(Value::String(text)) => xml::leaf(body, name, &text),
            _ => xml::leaf(body, name, value),
        }
    }
}
