//! AWS Query: a form whose names are paths (`Tags.member.1.Key`), answered in XML.

use std::collections::BTreeMap;

use homeport_core::Fault;
use serde_json::{Map, Value};

use crate::faults::serialization;
use crate::head::{EncodedResponse, Head};
use crate::model::{Kind, List, MapShape, Operation, Service, ShapeId, Structure};
use crate::uri;
use crate::{scalar, xml, xml_shapes};

/// How many parameters a form may have.
pub const MAX_PARAMETERS: usize = 4_096;
/// How many parts a parameter's name may have.
pub const MAX_NAME_PARTS: usize = 64;

/// A form, its names cut at their dots.
#[derive(Debug, Default)]
struct Node {
    value: Option<String>,
    parts: BTreeMap<String, Node>,
}

impl Node {
    /// The items below, in the order of their numbers.
    fn numbered(&self, service: &Service) -> Result<Vec<&Node>, Fault> {
        let number = |(part, node)| match str::parse::<u32>(part) {
            Ok(number) => Ok((number, node)),
            Err(_) => Err(serialization(service, format!("Key {part} is not a number"))),
        };
        let parts = self.parts.iter().map(|(part, node)| (part.as_str(), node));
        let mut items = parts.map(number).collect::<Result<Vec<_>, _>>()?;
        items.sort_by_key(|(number, _)| *number);
        Ok(items.into_iter().map(|(_, node)| node).collect())
    }
}

fn malformed(message: impl Into<String>) -> Fault {
    Fault::with_status("MalformedQueryString", 400, message)
}

/// The value of a parameter such as `Action`, from the query string and the body of a request; none if it is there
/// twice.
pub fn parameter(head: &Head<'_>, body: &[u8], name: &str) -> Option<String> {
    let form = std::str::from_utf8(body).ok()?;
    let all = uri::parameters(head.query).chain(uri::parameters(form)).flatten();
    let mut values = all.filter(|(n, _)| n == name).map(|(_, value)| value.into_owned());
    values.next().filter(|_| values.next().is_none())
}

pub(crate) fn decode(
    service: &Service,
    operation: &Operation,
    head: &Head<'_>,
    body: &[u8],
) -> Result<Value, Fault> {
    let form = std::str::from_utf8(body).map_err(|_| malformed("The request is not UTF-8"))?;
    let mut root = Node::default();
    for (count, pair) in uri::parameters(head.query).chain(uri::parameters(form)).enumerate() {
        let (name, value) = pair.ok_or_else(|| malformed("The query string is not UTF-8"))?;
        if count >= MAX_PARAMETERS {
            return Err(malformed("The request has too many parameters"));
        }
        insert(&mut root, &name, value.into_owned())?;
    }
    match operation.input {
        Some(shape) => read(service, shape, &root),
        None => Ok(Value::Object(Map::new())),
    }
}

fn insert(root: &mut Node, name: &str, value: String) -> Result<(), Fault> {
    let mut node = root;
    for (depth, part) in name.split('.').enumerate() {
        if depth >= MAX_NAME_PARTS {
            return Err(malformed("A parameter's name has too many parts"));
        }
        node = node.parts.entry(part.to_owned()).or_default();
    }
    match node.value.replace(value) {
        None => Ok(()),
        Some(_) => Err(malformed(format!("The parameter {name} is there more than once"))),
    }
}

fn read(service: &Service, shape: ShapeId, node: &Node) -> Result<Value, Fault> {
    let shape = service.shape(shape);
    match &shape.kind {
        Kind::Structure(structure) => read_structure(service, structure, node),
        Kind::List(list) => {
            let within =
                if list.flattened { Some(node) } else { node.parts.get(list.item_name.unwrap_or("member")) };
            read_items(service, list, within)
        }
        Kind::Map(map) => {
            let within = if map.flattened { Some(node) } else { node.parts.get("entry") };
            read_entries(service, map, within)
        }
        _ => match &node.value {
            Some(text) if node.parts.is_empty() => scalar::read(service, shape, text),
            _ => Err(serialization(service, "Unexpected complex element termination")),
        },
    }
}

fn read_structure(service: &Service, structure: &Structure, node: &Node) -> Result<Value, Fault> {
    let mut map = Map::new();
    for member in &structure.members {
        let item_name = match &service.shape(member.shape).kind {
            Kind::List(list) if list.flattened => list.item_name,
            _ => None,
        };
        if let Some(part) = node.parts.get(item_name.unwrap_or(member.wire_name)) {
            map.insert(member.name.to_owned(), read(service, member.shape, part)?);
        }
    }
    Ok(Value::Object(map))
}

fn read_items(service: &Service, list: &List, within: Option<&Node>) -> Result<Value, Fault> {
    let items = within.map(|node| node.numbered(service)).transpose()?.unwrap_or_default();
    items.into_iter().map(|item| read(service, list.item, item)).collect::<Result<_, _>>().map(Value::Array)
}

fn read_entries(service: &Service, of: &MapShape, within: Option<&Node>) -> Result<Value, Fault> {
    let mut map = Map::new();
    for entry in within.map(|node| node.numbered(service)).transpose()?.unwrap_or_default() {
        let key = entry.parts.get(of.key_name.unwrap_or("key")).and_then(|key| key.value.clone());
        let value = entry.parts.get(of.value_name.unwrap_or("value"));
        let (Some(key), Some(value)) = (key, value) else {
            return Err(serialization(service, "An entry has no key or no value"));
        };
        map.insert(key, read(service, of.value, value)?);
    }
    Ok(Value::Object(map))
}

pub(crate) fn encode(
    service: &Service,
    operation: &Operation,
    output: &Value,
    request_id: &str,
) -> EncodedResponse {
    let name = operation.name;
    let mut body = String::with_capacity(512);
    body.extend(["<", name, "Response xmlns=\"", service.xml_namespace, "\">"]);
    if let Some(structure) = operation.output.and_then(|shape| service.shape(shape).structure()) {
        let wrapper = operation.result_wrapper.map_or_else(|| format!("{name}Result"), str::to_owned);
        body.extend(["<", &wrapper, ">"]);
        xml_shapes::write_members(service, structure, output, &mut body);
        body.extend(["</", &wrapper, ">"]);
    }
    body.push_str("<ResponseMetadata>");
    xml::leaf(&mut body, "RequestId", request_id);
    body.extend(["</ResponseMetadata></", name, "Response>"]);
    let mut response = EncodedResponse::new(200);
    response.set("content-type", "text/xml");
    response.set("x-amzn-requestid", request_id);
    response.body = body.into_bytes();
    response
}
