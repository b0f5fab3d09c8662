//! Values that stand as text: in XML, in forms, in paths, query strings and headers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use homeport_core::Fault;
use serde_json::{Number, Value};

use crate::faults::serialization;
use crate::model::{Kind, Service, Shape, TimeFormat};
use crate::moment;

/// Reads a text by its shape's kind.
pub(crate) fn read(service: &Service, shape: &Shape, text: &str) -> Result<Value, Fault> {
    let value = match shape.kind {
        Kind::String => Some(Value::from(text)),
        Kind::Integer => text.trim().parse::<i32>().ok().map(Value::from),
        Kind::Long => text.trim().parse::<i64>().ok().map(Value::from),
        Kind::Float => read_float(text.trim()),
        Kind::Boolean => match text.trim() {
            "true" | "True" | "TRUE" | "1" => Some(Value::Bool(true)),
            "false" | "False" | "FALSE" | "0" => Some(Value::Bool(false)),
            _ => None,
        },
        Kind::Blob => BASE64.decode(text.trim()).ok().map(|_| Value::from(text.trim())),
        Kind::Timestamp => moment::read(text.trim()),
        Kind::Structure(_) | Kind::List(_) | Kind::Map(_) => None,
    };
    value.ok_or_else(|| {
        let message = match shape.kind {
            Kind::Integer => "Invalid Integer",
            Kind::Long => "Invalid Long",
            Kind::Float => "Invalid Double",
            Kind::Boolean => "Invalid Boolean",
            Kind::Blob => "Invalid Blob",
            Kind::Timestamp => "Invalid Timestamp",
            _ => "Unexpected field type",
        };
        serialization(service, message)
    })
}

fn read_float(text: &str) -> Option<Value> {
    match text {
        "NaN" | "Infinity" | "-Infinity" => Some(Value::from(text)),
        _ => text.parse().ok().and_then(Number::from_f64).map(Value::Number),
    }
}

/// Writes a value as text; none for nulls and for what is no scalar.
pub(crate) fn write(shape: &Shape, value: &Value, format: TimeFormat, with_millis: bool) -> Option<String> {
    match (&shape.kind, value) {
        (Kind::Timestamp, _) => moment::write(value, shape.time.unwrap_or(format), with_millis),
        (_, Value::String(text)) => Some(text.clone()),
        (_, Value::Bool(_) | Value::Number(_)) => Some(value.to_string()),
        _ => None,
    }
}
