//! Between elements and canonical JSON, by the model; shared by Query (answers) and REST-XML.

use homeport_core::Fault;
use serde_json::{Map, Value};

use crate::faults::serialization;
use crate::model::{
    Kind, List, Location, MapShape, Member, Service, Shape, ShapeId, Structure, TimeFormat, XmlNamespace,
};
use crate::scalar;
use crate::xml::{self, Element};

/// Reads an element by its shape.
pub(crate) fn read(service: &Service, shape: ShapeId, element: &Element) -> Result<Value, Fault> {
    let shape = service.shape(shape);
    match &shape.kind {
        Kind::Structure(structure) => read_structure(service, structure, element).map(Value::Object),
        Kind::List(list) => {
            let name = list.item_name.unwrap_or("member");
            read_items(service, list, element.children.iter().filter(|child| child.name == name))
        }
        Kind::Map(map) => read_entries(service, map, element.children.iter().filter(|c| c.name == "entry")),
        _ if !element.children.is_empty() => Err(serialization(service, "an element where text is expected")),
        _ => scalar::read(service, shape, &element.text),
    }
}

fn read_structure(
    service: &Service,
    structure: &Structure,
    element: &Element,
) -> Result<Map<String, Value>, Fault> {
    let mut map = Map::new();
    for member in structure.members.iter().filter(|member| member.location == Location::Body) {
        if let Some(value) = read_member(service, member, element)? {
            map.insert(member.name.to_owned(), value);
        }
    }
    Ok(map)
}

fn read_member(service: &Service, member: &Member, element: &Element) -> Result<Option<Value>, Fault> {
    let shape = service.shape(member.shape);
    if member.xml_attribute {
        let local = |name: &str| name.rsplit(':').next().unwrap_or_default().to_owned();
        let same = |(name, _): &&(String, String)| local(name) == local(member.wire_name);
        let attribute = element.attributes.iter().find(same);
        return attribute.map(|(_, value)| scalar::read(service, shape, value)).transpose();
    }
    let mut named = element.children.iter().filter(|child| child.name == member.wire_name).peekable();
    match &shape.kind {
        Kind::List(list) if list.flattened || member.flattened => {
            if named.peek().is_some() {
                return read_items(service, list, named).map(Some);
            }
            let name = list.item_name.unwrap_or_default();
            let mut items = element.children.iter().filter(|child| child.name == name).peekable();
            if items.peek().is_none() { Ok(None) } else { read_items(service, list, items).map(Some) }
        }
        Kind::Map(map) if map.flattened || member.flattened => {
            if named.peek().is_none() {
                Ok(None)
            } else {
                read_entries(service, map, named).map(Some)
            }
        }
        _ => named.next().map(|child| read(service, member.shape, child)).transpose(),
    }
}

fn read_items<'e>(
    service: &Service,
    list: &List,
    items: impl Iterator<Item = &'e Element>,
) -> Result<Value, Fault> {
    items.map(|item| read(service, list.item, item)).collect::<Result<_, _>>().map(Value::Array)
}

fn read_entries<'e>(
    service: &Service,
    of: &MapShape,
    entries: impl Iterator<Item = &'e Element>,
) -> Result<Value, Fault> {
    let mut map = Map::new();
    for entry in entries {
        let key = entry.child(of.key_name.unwrap_or("key"));
        let value = entry.child(of.value_name.unwrap_or("value"));
        let (Some(key), Some(value)) = (key, value) else {
            return Err(serialization(service, "an entry without key or value"));
        };
        map.insert(key.text.clone(), read(service, of.value, value)?);
    }
    Ok(Value::Object(map))
}

/// Writes the members of a structure that stand in the body.
pub(crate) fn write_members(service: &Service, structure: &Structure, value: &Value, out: &mut String) {
    let in_body = structure.members.iter().filter(|m| m.location == Location::Body && !m.xml_attribute);
    for member in in_body {
        let Some(value) = value.get(member.name).filter(|value| !value.is_null()) else {
            continue;
        };
        let shape = service.shape(member.shape);
        match (&shape.kind, value) {
            (Kind::List(list), Value::Array(items)) if list.flattened || member.flattened => {
                let name = list.item_name.unwrap_or(member.wire_name);
                for item in items {
                    write(service, service.shape(list.item), name, None, item, out);
                }
            }
            (Kind::Map(of), Value::Object(map)) if of.flattened || member.flattened => {
                write_entries(service, of, member.wire_name, map, out);
            }
            _ => write(service, shape, member.wire_name, Some(member), value, out),
        }
    }
}

/// Writes `<name>value</name>`.
pub(crate) fn write(
    service: &Service,
    shape: &Shape,
    name: &str,
    member: Option<&Member>,
    value: &Value,
    out: &mut String,
) {
    out.extend(["<", name]);
    write_namespace(member.and_then(|m| m.xml_namespace), out);
    match (&shape.kind, value) {
        (Kind::Structure(structure), _) => {
            write_attributes(service, structure, value, out);
            out.push('>');
            write_members(service, structure, value, out);
        }
        (Kind::List(list), Value::Array(items)) => {
            out.push('>');
            for item in items {
                write(service, service.shape(list.item), list.item_name.unwrap_or("member"), None, item, out);
            }
        }
        (Kind::Map(of), Value::Object(map)) => {
            out.push('>');
            write_entries(service, of, "entry", map, out);
        }
        _ => {
            out.push('>');
            let format = member.and_then(|m| m.time).unwrap_or(TimeFormat::Iso8601);
            xml::escape(out, &scalar::write(shape, value, format, service.name == "s3").unwrap_or_default());
        }
    }
    out.extend(["</", name, ">"]);
}

fn write_namespace(namespace: Option<XmlNamespace>, out: &mut String) {
    if let Some(XmlNamespace { uri, prefix }) = namespace {
        out.push_str(" xmlns");
        out.extend(prefix.into_iter().flat_map(|prefix| [":", prefix]));
        out.extend(["=\"", uri, "\""]);
    }
}

fn write_attributes(service: &Service, structure: &Structure, value: &Value, out: &mut String) {
    write_namespace(structure.xml_namespace, out);
    for member in structure.members.iter().filter(|member| member.xml_attribute) {
        let shape = service.shape(member.shape);
        let text = value.get(member.name).and_then(|v| scalar::write(shape, v, TimeFormat::Iso8601, false));
        if let Some(text) = text {
            out.extend([" ", member.wire_name, "=\""]);
            xml::escape(out, &text);
            out.push('"');
        }
    }
}

fn write_entries(service: &Service, of: &MapShape, name: &str, map: &Map<String, Value>, out: &mut String) {
    for (key, value) in map {
        out.extend(["<", name, ">"]);
        xml::leaf(out, of.key_name.unwrap_or("key"), key);
        write(service, service.shape(of.value), of.value_name.unwrap_or("value"), None, value, out);
        out.extend(["</", name, ">"]);
    }
}
