//! AWS's words for JSON of another type than the model's.

use homeport_core::Fault;
use serde_json::Value;

use crate::faults::serialization;
use crate::model::{Kind, Service, Shape};

/// The package of DynamoDB's types, which its messages name.
const DYNAMODB: &str = "com.amazonaws.dynamodb.v20120810";
/// What DynamoDB answers where a list or map that lies in another is none: its own mishap, which clients see.
const NO_CLASS: &str = "class sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl cannot be cast to class \
     java.lang.Class (sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl and java.lang.Class are in \
     module java.base of loader 'bootstrap')";

/// What a value lies in. DynamoDB tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Within {
    /// A structure, or nothing.
    Structure,
    /// A list or a map.
    Collection,
}

/// The refusal of a value that is not of its shape's type.
pub(crate) fn mismatch(service: &Service, shape: &Shape, within: Within, value: &Value) -> Fault {
    let message = match service.is_dynamodb() {
        true => dynamodbs(service, shape, within, value),
        false => others(shape, value),
    };
    serialization(service, message)
}

fn dynamodbs(service: &Service, shape: &Shape, within: Within, value: &Value) -> String {
    match (&shape.kind, value) {
        (Kind::Map(_), Value::Array(_)) => {
            format!("Unrecognized collection type {}", java_type(service, shape))
        }
        (_, Value::Array(_)) => format!("Unrecognized collection type class {}", java_type(service, shape)),
        (_, Value::Object(_)) => "Start of structure or map found where not expected".to_owned(),
        (Kind::Structure(_), _) if within == Within::Collection => {
            "Unexpected value type in payload".to_owned()
        }
        (Kind::List(_) | Kind::Map(_), _) if within == Within::Collection => NO_CLASS.to_owned(),
        (Kind::Structure(_) | Kind::List(_) | Kind::Map(_), _) => "Unexpected field type".to_owned(),
        (Kind::Blob, Value::String(text)) => not_base64(text),
        (Kind::Blob, _) => "only base-64-encoded strings are convertible to bytes".to_owned(),
        (Kind::Boolean, Value::String(_)) => "Unexpected token received from parser".to_owned(),
        (kind, _) => format!("{} cannot be converted to {}", token(value), scalar_type(kind)),
    }
}

fn not_base64(text: &str) -> String {
    match text.len() {
        length if !length.is_multiple_of(4) => {
            format!("Base64 encoded length is expected a multiple of 4 bytes but found: {length}")
        }
        // AWS's spelling.
        _ => "Invalid last non-pad Base64 character dectected".to_owned(),
    }
}

fn java_type(service: &Service, shape: &Shape) -> String {
    match &shape.kind {
        Kind::Structure(_) => format!("{DYNAMODB}.{}", shape.name),
        Kind::List(list) => format!("java.util.List<{}>", java_type(service, service.shape(list.item))),
        Kind::Map(map) => {
            format!("java.util.Map<java.lang.String, {}>", java_type(service, service.shape(map.value)))
        }
        Kind::Blob => "java.nio.ByteBuffer".to_owned(),
        Kind::Timestamp => "java.util.Date".to_owned(),
        kind => format!("java.lang.{}", scalar_type(kind)),
    }
}

fn others(shape: &Shape, value: &Value) -> String {
    match (&shape.kind, value) {
        (Kind::Structure(_) | Kind::Map(_) | Kind::List(_), Value::Object(_) | Value::Array(_)) => {
            "Unexpected collection type in request".to_owned()
        }
        (Kind::Structure(_) | Kind::Map(_) | Kind::List(_), _) => "Unexpected field type".to_owned(),
        (_, Value::Object(_)) => "Start of structure or map found where not expected.".to_owned(),
        (_, Value::Array(_)) => "Start of list found where not expected".to_owned(),
        (kind, _) => format!("{} cannot be converted to {}", token(value), scalar_type(kind)),
    }
}

fn scalar_type(kind: &Kind) -> &'static str {
    match kind {
        Kind::Integer => "Integer",
        Kind::Long => "Long",
        Kind::Float => "Double",
        Kind::Boolean => "Boolean",
        Kind::Blob => "Blob",
        Kind::Timestamp => "Timestamp",
        Kind::String | Kind::Structure(_) | Kind::List(_) | Kind::Map(_) => "String",
    }
}

fn token(value: &Value) -> &'static str {
    match value {
        Value::Bool(true) => "TRUE_VALUE",
        Value::Bool(false) => "FALSE_VALUE",
        Value::Number(number) if number.is_f64() => "DECIMAL_VALUE",
        Value::Number(_) => "NUMBER_VALUE",
        _ => "STRING_VALUE",
    }
}
