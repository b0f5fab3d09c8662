use homeport_wire::{Kind, Location, Operation, Protocol, Service, ShapeId};
use serde_json::{Map, Value};

/// A request for an operation, as an SDK would send it.
pub(crate) struct Encoded {
    pub(crate) method: &'static str,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// Encodes input by the model; parameters are named as in the model.
pub(crate) fn encode(service: &Service, operation: &Operation, input: &Value) -> Encoded {
    match service.protocol {
        Protocol::Query => query(service, operation, input),
        Protocol::RestJson | Protocol::RestXml => rest(service, operation, input),
        Protocol::Json | Protocol::RpcV2Cbor => json(service, operation, input),
    }
}

fn json(service: &Service, operation: &Operation, input: &Value) -> Encoded {
    let version = if service.json_version == "1.0" { "1.0" } else { "1.1" };
    Encoded {
        method: "POST",
        target: "/".to_owned(),
        headers: vec![
            ("content-type".to_owned(), format!("application/x-amz-json-{version}")),
            ("x-amz-target".to_owned(), format!("{}.{}", service.target_prefix, operation.name)),
        ],
        body: input.to_string().into_bytes(),
    }
}

fn query(service: &Service, operation: &Operation, input: &Value) -> Encoded {
    let mut pairs = vec![
        ("Action".to_owned(), operation.name.to_owned()),
        ("Version".to_owned(), service.api_version.to_owned()),
    ];
    flatten("", input, &mut pairs);
    let escaped = |text: &str| homeport_sigv4::uri_encode(text, false);
    let form: Vec<String> =
        pairs.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect();
    Encoded {
        method: "POST",
        target: "/".to_owned(),
        headers: vec![(
            "content-type".to_owned(),
            "application/x-www-form-urlencoded; charset=utf-8".to_owned(),
        )],
        body: form.join("&").into_bytes(),
    }
}

fn flatten(name: &str, value: &Value, pairs: &mut Vec<(String, String)>) {
    let below = |part: &str| if name.is_empty() { part.to_owned() } else { format!("{name}.{part}") };
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(member, value)| flatten(&below(member), value, pairs))
        }
        Value::Array(items) => {
            items.iter().zip(1..).for_each(|(item, n)| flatten(&below(&format!("member.{n}")), item, pairs));
        }
        Value::Null => {}
        Value::String(text) => pairs.push((name.to_owned(), text.clone())),
        other => pairs.push((name.to_owned(), other.to_string())),
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn rest(service: &Service, operation: &Operation, input: &Value) -> Encoded {
    let mut target = operation.uri.as_str().to_owned();
    let (mut query, mut headers, mut body) = (Vec::new(), Vec::new(), Map::new());
    let (mut payload, mut takes_checksum, mut streams) = (None, false, false);
    let structure = operation.input.and_then(|shape| service.shape(shape).structure());
    for member in structure.iter().flat_map(|s| &s.members) {
        takes_checksum |= member.wire_name == "x-amz-sdk-checksum-algorithm";
        let Some(value) = input.get(member.name) else { continue };
        match member.location {
            Location::Uri => {
                let (label, greedy) =
                    (format!("{{{}}}", member.wire_name), format!("{{{}+}}", member.wire_name));
                target = target.replace(&label, &homeport_sigv4::uri_encode(&text(value), false));
                target = target.replace(&greedy, &homeport_sigv4::uri_encode(&text(value), true));
            }
            Location::Query => match value {
                Value::Array(items) => {
                    items.iter().for_each(|item| query.push((member.wire_name, text(item))))
                }
                one => query.push((member.wire_name, text(one))),
            },
            Location::Header => headers.push((member.wire_name.to_ascii_lowercase(), text(value))),
            Location::Headers | Location::StatusCode => {}
            Location::Body
                if structure.is_some_and(|s| s.payload().is_some_and(|p| p.name == member.name)) =>
            {
                streams = member.streaming;
                payload = Some(blob_or_json(service, member.shape, value));
            }
            Location::Body => {
                body.insert(member.wire_name.to_owned(), value.clone());
            }
        }
    }
    for (name, value) in query {
        target.push(if target.contains('?') { '&' } else { '?' });
        target.push_str(&format!("{name}={}", homeport_sigv4::uri_encode(&value, false)));
    }
    let sends = payload.is_some() || !body.is_empty();
    if sends && !headers.iter().any(|(name, _)| name == "content-type") {
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
    }
    let bytes = payload.unwrap_or_else(|| {
        if body.is_empty() { Vec::new() } else { Value::Object(body).to_string().into_bytes() }
    });
    if takes_checksum && sends && !streams {
        headers.push(("x-amz-checksum-sha256".to_owned(), sha256(&bytes)));
    }
    Encoded { method: operation.method, target, headers, body: bytes }
}

fn sha256(bytes: &[u8]) -> String {
    use aws_lc_rs::digest;
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(digest::digest(&digest::SHA256, bytes))
}

fn blob_or_json(service: &Service, shape: ShapeId, value: &Value) -> Vec<u8> {
    use base64::Engine;
    match (&service.shape(shape).kind, value.as_str()) {
        (Kind::Blob, Some(text)) => {
            base64::engine::general_purpose::STANDARD.decode(text).unwrap_or_else(|_| text.into())
        }
        (_, Some(text)) => text.as_bytes().to_vec(),
        _ => value.to_string().into_bytes(),
    }
}
