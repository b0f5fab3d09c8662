//! What REST-JSON and REST-XML share: members in the path, the query string, the headers and the status.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use homeport_core::Fault;
use serde_json::{Map, Value};

use crate::faults::{self, serialization};
use crate::head::{EncodedResponse, Head};
use crate::model::{Kind, Location, Member, Operation, Protocol, Service, ShapeId, Structure, TimeFormat};
use crate::{scalar, uri};

/// Reads a shape from a whole body, which is not empty: JSON or XML.
pub(crate) type ReadDocument = fn(&Service, ShapeId, &[u8]) -> Result<Value, Fault>;

/// Reads a request: the members outside the body, and those inside it or the one that is the whole of it.
pub(crate) fn decode(
    service: &Service,
    operation: &Operation,
    head: &Head<'_>,
    body: &[u8],
    read_document: ReadDocument,
) -> Result<Value, Fault> {
    let input = operation.input.and_then(|input| Some((input, service.shape(input).structure()?)));
    let Some((input, structure)) = input else {
        return Ok(Value::Object(Map::new()));
    };
    let mut map = read_bindings(service, operation, structure, head)?;
    if body.is_empty() {
        return Ok(Value::Object(map));
    }
    if let Some(payload) = structure.payload() {
        if !is_streaming(service, payload) {
            map.insert(payload.name.to_owned(), read_payload(service, payload, body, read_document)?);
        }
    } else if structure.members.iter().any(|member| member.location == Location::Body)
        && let Value::Object(members) = read_document(service, input, body)?
    {
        map.extend(members);
    }
    Ok(Value::Object(map))
}

fn read_payload(
    service: &Service,
    payload: &Member,
    body: &[u8],
    read_document: ReadDocument,
) -> Result<Value, Fault> {
    match service.shape(payload.shape).kind {
        Kind::Blob => Ok(Value::from(BASE64.encode(body))),
        Kind::String => match std::str::from_utf8(body) {
            Ok(text) => Ok(Value::from(text)),
            Err(_) => Err(serialization(service, "The request body is not UTF-8")),
        },
        _ => read_document(service, payload.shape, body),
    }
}

type Parameters<'q> = Vec<(Cow<'q, str>, Cow<'q, str>)>;

/// Reads the members outside the body.
fn read_bindings(
    service: &Service,
    operation: &Operation,
    structure: &Structure,
    head: &Head<'_>,
) -> Result<Map<String, Value>, Fault> {
    let labels =
        operation.uri.labels(head.path).ok_or_else(|| faults::unknown_operation(service, operation.name))?;
    let query: Parameters<'_> = uri::parameters(head.query)
        .collect::<Option<_>>()
        .ok_or_else(|| malformed(service, "The query string is not UTF-8"))?;
    let mut map = Map::new();
    for member in &structure.members {
        let value = match member.location {
            Location::Uri => labels
                .iter()
                .find(|(name, _)| *name == member.wire_name)
                .map(|(_, text)| scalar_of(service, member, text))
                .transpose()?,
            Location::Query => from_query(service, operation, structure, member, &query)?,
            Location::Header => from_header(service, member, head)?,
            Location::Headers => prefixed_headers(member, head),
            Location::Body | Location::StatusCode => None,
        };
        if let Some(value) = value {
            map.insert(member.name.to_owned(), value);
        }
    }
    Ok(map)
}

/// A wrong value outside the body: S3 does not call that malformed XML.
fn malformed(service: &Service, message: &str) -> Fault {
    if service.protocol == Protocol::RestXml {
        return faults::validation(service, message.to_owned());
    }
    serialization(service, message)
}

fn scalar_of(service: &Service, member: &Member, text: &str) -> Result<Value, Fault> {
    scalar::read(service, service.shape(member.shape), text)
        .map_err(|_| malformed(service, &format!("The value of {} is not valid", member.wire_name)))
}

fn from_query(
    service: &Service,
    operation: &Operation,
    structure: &Structure,
    member: &Member,
    query: &Parameters<'_>,
) -> Result<Option<Value>, Fault> {
    let mut values = query.iter().filter(|(name, _)| name == member.wire_name).map(|(_, value)| value);
    match &service.shape(member.shape).kind {
        Kind::List(list) => {
            let item = service.shape(list.item);
            let items =
                values.map(|text| scalar::read(service, item, text)).collect::<Result<Vec<_>, _>>()?;
            Ok((!items.is_empty()).then_some(Value::Array(items)))
        }
        Kind::Map(_) => {
            let bound = |name: &str| {
                structure.members.iter().any(|m| m.location == Location::Query && m.wire_name == name)
                    || operation.uri.query.iter().any(|(literal, _)| *literal == name)
            };
            let free = query.iter().filter(|(name, _)| !bound(name));
            let map: Map<_, _> =
                free.map(|(name, value)| (name.to_string(), Value::from(value.as_ref()))).collect();
            Ok((!map.is_empty()).then_some(Value::Object(map)))
        }
        _ => values.next().map(|text| scalar_of(service, member, text)).transpose(),
    }
}

fn from_header(service: &Service, member: &Member, head: &Head<'_>) -> Result<Option<Value>, Fault> {
    let mut values =
        head.headers.get_all(member.wire_name).iter().map(|v| String::from_utf8_lossy(v.as_bytes()));
    if let Kind::List(list) = &service.shape(member.shape).kind {
        let item = service.shape(list.item);
        let joined = values.collect::<Vec<_>>().join(",");
        let texts = joined.split(',').map(str::trim).filter(|text| !text.is_empty());
        let items = texts.map(|text| scalar::read(service, item, text)).collect::<Result<Vec<_>, _>>()?;
        return Ok((!items.is_empty()).then_some(Value::Array(items)));
    }
    values.next().map(|text| scalar_of(service, member, &text)).transpose()
}

fn prefixed_headers(member: &Member, head: &Head<'_>) -> Option<Value> {
    let prefix = member.wire_name.to_ascii_lowercase();
    let mut map = Map::new();
    for name in head.headers.keys() {
        if let Some(key) = name.as_str().strip_prefix(&prefix) {
            let values = head.headers.get_all(name).iter().map(|v| String::from_utf8_lossy(v.as_bytes()));
            map.insert(key.to_owned(), Value::from(values.collect::<Vec<_>>().join(",")));
        }
    }
    (!map.is_empty()).then_some(Value::Object(map))
}

/// Begins an answer: its status and the members that stand in headers.
pub(crate) fn write_bindings(
    service: &Service,
    operation: &Operation,
    structure: Option<&Structure>,
    output: &Value,
) -> EncodedResponse {
    let mut response = EncodedResponse::new(operation.status);
    for member in structure.into_iter().flat_map(|structure| &structure.members) {
        let Some(value) = output.get(member.name).filter(|value| !value.is_null()) else {
            continue;
        };
        match member.location {
            Location::StatusCode => {
                response.status =
                    value.as_u64().and_then(|v| u16::try_from(v).ok()).unwrap_or(operation.status);
            }
            Location::Header => {
                if let Some(text) = header_text(service, member, value) {
                    response.set(member.wire_name, &text);
                }
            }
            Location::Headers => {
                for (key, value) in value.as_object().into_iter().flatten() {
                    response.set(&format!("{}{key}", member.wire_name), value.as_str().unwrap_or_default());
                }
            }
            _ => {}
        }
    }
    response
}

fn header_text(service: &Service, member: &Member, value: &Value) -> Option<String> {
    let shape = service.shape(member.shape);
    match (&shape.kind, value) {
        (Kind::List(list), Value::Array(items)) => {
            let item = service.shape(list.item);
            let texts =
                items.iter().filter_map(|value| scalar::write(item, value, TimeFormat::Rfc822, false));
            Some(texts.collect::<Vec<_>>().join(","))
        }
        _ => scalar::write(shape, value, member.time.unwrap_or(TimeFormat::Rfc822), false),
    }
}

/// Whether a payload is not held in memory: a streaming blob, or a stream of events.
pub(crate) fn is_streaming(service: &Service, member: &Member) -> bool {
    let shape = service.shape(member.shape);
    member.streaming || shape.streaming || shape.structure().is_some_and(|structure| structure.event_stream)
}
