//! Requests and answers in the short forms that the tests read and write.

use homeport_core::Fault;
use homeport_wire::{EncodedResponse, Head, Models, Operation, Service, decode};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn new(method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let header = |(name, value): &(&str, &str)| {
            (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap())
        };
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: headers.iter().map(header).collect(),
            body: body.as_bytes().to_vec(),
        }
    }

    pub(crate) fn head(&self) -> Head<'_> {
        Head { method: &self.method, path: &self.path, query: &self.query, headers: &self.headers }
    }

    pub(crate) fn decode(&self, service: &str, operation: &str) -> Result<Value, Fault> {
        let (service, operation) = find(service, operation);
        decode(operation, service.protocol, &self.head(), &self.body)
    }
}

pub(crate) fn find(service: &str, operation: &str) -> (&'static Service, &'static Operation) {
    let service = Models::service(service).unwrap();
    (service, service.operation(operation).unwrap())
}

pub(crate) fn post(service: &str, operation: &str, body: &str) -> Result<Value, Fault> {
    Request::new("POST", "/", &[], body).decode(service, operation)
}

/// An answer as text: status line, headers in order of their names, body.
pub(crate) fn shown(response: &EncodedResponse) -> String {
    let mut headers: Vec<_> =
        response.headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    headers.sort();
    format!("{}\n{}\n\n{}", response.status, headers.join("\n"), String::from_utf8_lossy(&response.body))
}
