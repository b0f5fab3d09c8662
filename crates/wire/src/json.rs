//! JSON bodies, shared by AWS JSON and REST-JSON: to canonical form by the model, and back.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use homeport_core::Fault;
use serde_json::{Map, Number, Value};

use crate::faults::serialization;
use crate::mismatch::{Within, mismatch};
use crate::model::{Kind, Location, Member, Service, Shape, ShapeId, TimeFormat};
use crate::moment;

/// How deep arrays and objects may lie in each other.
pub const MAX_DEPTH: usize = 64;

/// Parses a body: JSON of bounded depth. An empty body is an empty object, but to DynamoDB it is none.
pub(crate) fn parse(service: &Service, body: &[u8]) -> Result<Value, Fault> {
    if body.iter().all(u8::is_ascii_whitespace) && !service.is_dynamodb() {
        return Ok(Value::Object(Map::new()));
    }
    if depth(body) > MAX_DEPTH {
        return Err(serialization(service, "The request body is nested too deeply"));
    }
    serde_json::from_slice(body).map_err(|error| serialization(service, "").because(error))
}

/// The depth of a JSON text, strings passed over; right for well-formed texts, and never too small for others.
fn depth(body: &[u8]) -> usize {
    let (mut open, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in body {
        if in_string {
            (in_string, escaped) = (escaped || *byte != b'"', !escaped && *byte == b'\\');
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => {
                open += 1;
                deepest = deepest.max(open);
            }
            b'}' | b']' => open = open.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Brings a parsed value into canonical form: members by the model's names, unknown and null ones dropped, types
/// checked.
pub(crate) fn read(service: &Service, shape: ShapeId, value: &mut Value) -> Result<(), Fault> {
    read_within(service, shape, Within::Structure, value)
}

fn read_within(service: &Service, shape: ShapeId, within: Within, value: &mut Value) -> Result<(), Fault> {
    let shape = service.shape(shape);
    match (&shape.kind, &mut *value) {
        (Kind::Structure(structure), _) if structure.document => {}
        (Kind::Structure(structure), Value::Object(map)) => {
            let in_body = |name: &str| structure.by_wire_name(name).filter(|m| m.location == Location::Body);
            map.retain(|name, value| !value.is_null() && in_body(name).is_some());
            for member in structure.members.iter().filter(|m| m.location == Location::Body) {
                read_member(service, member, map)?;
            }
        }
        (Kind::List(list), Value::Array(items)) => {
            for item in items.iter_mut().filter(|item| !item.is_null()) {
                read_within(service, list.item, Within::Collection, item)?;
            }
        }
        (Kind::Map(of), Value::Object(map)) => {
            // DynamoDB has something to say of an attribute whose value is null.
            map.retain(|_, value| service.is_dynamodb() || !value.is_null());
            for item in map.values_mut().filter(|item| !item.is_null()) {
                read_within(service, of.value, Within::Collection, item)?;
            }
        }
        (kind, scalar) => match scalar_of(service, kind, scalar) {
            Some(read) => *value = read,
            None => return Err(mismatch(service, shape, within, value)),
        },
    }
    Ok(())
}

/// A scalar as its kind has it; none if it is not of the kind.
fn scalar_of(service: &Service, kind: &Kind, value: &mut Value) -> Option<Value> {
    let lenient = service.is_dynamodb();
    let fits = match (kind, &mut *value) {
        (Kind::String, Value::String(_)) | (Kind::Boolean, Value::Bool(_)) => true,
        (Kind::Boolean, Value::String(text)) if lenient => return truth(text).map(Value::from),
        (Kind::Blob, Value::String(text)) => BASE64.decode(text.as_bytes()).is_ok(),
        (Kind::Integer | Kind::Long, Value::Number(number)) if lenient => {
            return truncated(number, kind).map(Value::from);
        }
        (Kind::Integer | Kind::Long, Value::Number(number)) => return whole(number, kind).map(Value::from),
        (Kind::Float | Kind::Timestamp, Value::Number(_)) => true,
        (Kind::Float, Value::String(text)) => matches!(text.as_str(), "NaN" | "Infinity" | "-Infinity"),
        (Kind::Timestamp, Value::String(text)) => return moment::read(text),
        _ => false,
    };
    fits.then(|| value.take())
}

fn read_member(service: &Service, member: &Member, map: &mut Map<String, Value>) -> Result<(), Fault> {
    let Some(value) = map.get_mut(member.wire_name) else {
        return Ok(());
    };
    read_within(service, member.shape, Within::Structure, value)?;
    if member.wire_name != member.name
        && let Some(value) = map.remove(member.wire_name)
    {
        map.insert(member.name.to_owned(), value);
    }
    Ok(())
}

/// A number without a fraction, within its kind's range.
fn whole(number: &Number, kind: &Kind) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "only floats that are whole and small are converted")]
    let from_float = |f: f64| (f.fract() == 0.0 && f.abs() < 9e15).then_some(f as i64);
    let whole = number.as_i64().or_else(|| number.as_f64().and_then(from_float))?;
    (matches!(kind, Kind::Long) || i32::try_from(whole).is_ok()).then_some(whole)
}

/// As DynamoDB's Java makes a whole number of any: without its fraction, at the nearest end of the kind's range.
fn truncated(number: &Number, kind: &Kind) -> Option<i64> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the cast is what Java does: it truncates and saturates"
    )]
    let whole = number.as_i64().or_else(|| number.as_f64().map(|f| f as i64))?;
    Some(if matches!(kind, Kind::Long) { whole } else { whole.clamp(i32::MIN.into(), i32::MAX.into()) })
}

/// The texts that DynamoDB takes for a boolean.
fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "y" | "t" | "1" => Some(true),
        "false" | "no" | "n" | "f" | "0" => Some(false),
        _ => None,
    }
}

/// Writes a canonical value as JSON. Members that the model does not know, and nulls, are left out.
pub(crate) fn write(service: &Service, shape: ShapeId, value: &Value, out: &mut Vec<u8>) {
    write_as(service, service.shape(shape), None, value, out);
}

fn write_as(service: &Service, shape: &Shape, format: Option<TimeFormat>, value: &Value, out: &mut Vec<u8>) {
    match (&shape.kind, value) {
        (Kind::Structure(structure), Value::Object(map)) if !structure.document => {
            let members = structure.members.iter().filter(|m| m.location == Location::Body);
            let present = members.filter_map(|m| map.get(m.name).filter(|v| !v.is_null()).map(|v| (m, v)));
            braced(out, present, |out, (member, value)| {
                write_text(out, member.wire_name);
                out.push(b':');
                write_as(service, service.shape(member.shape), member.time, value, out);
            });
        }
        (Kind::List(list), Value::Array(items)) => {
            out.push(b'[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write_as(service, service.shape(list.item), None, item, out);
            }
            out.push(b']');
        }
        (Kind::Map(of), Value::Object(map)) => {
            let shape = service.shape(of.value);
            braced(out, map.iter().filter(|(_, value)| !value.is_null()), |out, (key, value)| {
                write_text(out, key);
                out.push(b':');
                write_as(service, shape, None, value, out);
            });
        }
        (Kind::Timestamp, _) => {
            let format = format.or(shape.time).unwrap_or(TimeFormat::Unix);
            match moment::write(value, format, false) {
                Some(text) if format != TimeFormat::Unix => write_text(out, &text),
                _ => write_plain(out, value),
            }
        }
        _ => write_plain(out, value),
    }
}

fn braced<T>(out: &mut Vec<u8>, items: impl Iterator<Item = T>, write: impl Fn(&mut Vec<u8>, T)) {
    out.push(b'{');
    for (at, item) in items.enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(b'}');
}

/// Writes a string in quotes.
pub(crate) fn write_text(out: &mut Vec<u8>, text: &str) {
    // A Vec takes every byte and text has no form that JSON cannot write.
    let _ = serde_json::to_writer(out, text);
}

fn write_plain(out: &mut Vec<u8>, value: &Value) {
    // As above: values have string keys only.
    let _ = serde_json::to_writer(out, value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Models;

    #[test]
    fn depth_counts_brackets_outside_strings() {
        assert_eq!(depth(br#"{"a":[{"b":"[[[\"[["}]}"#), 3);
        assert_eq!(depth(br#""\\[["#), 0);
        assert_eq!(depth(br#""\\"[["#), 2);
    }

    #[test]
    fn a_deep_body_is_refused() {
        let service = Models::service("dynamodb").unwrap();
        let deep = "[".repeat(MAX_DEPTH + 1) + &"]".repeat(MAX_DEPTH + 1);
        assert_eq!(parse(service, deep.as_bytes()).unwrap_err().code, "SerializationException");
    }
}
