use serde_json::{Map, Value};

use crate::model::{Kind, Operation, Service, ShapeId};

/// Shapes that AWS's models don't mark as sensitive though they hold one-time codes.
const CODES: [&str; 3] = ["ConfirmationCodeType", "authenticationCodeType", "tokenCodeType"];

/// A canonical input without what the model marks as sensitive and without one-time codes, for audit records. Members
/// that the model does not know are left out too.
pub fn redact(service: &Service, operation: &Operation, input: &Value) -> Value {
    let whole = operation.input.and_then(|shape| kept(service, shape, input));
    whole.unwrap_or_else(|| Value::Object(Map::new()))
}

fn kept(service: &Service, shape: ShapeId, value: &Value) -> Option<Value> {
    let shape = service.shape(shape);
    if shape.sensitive || CODES.contains(&shape.name) {
        return None;
    }
    Some(match (&shape.kind, value) {
        (Kind::Structure(structure), Value::Object(map)) => {
            let members = structure.members.iter();
            let member = |m: &crate::model::Member| {
                Some((m.name.to_owned(), kept(service, m.shape, map.get(m.name)?)?))
            };
            Value::Object(members.filter_map(member).collect())
        }
        (Kind::List(list), Value::Array(items)) => {
            Value::Array(items.iter().filter_map(|item| kept(service, list.item, item)).collect())
        }
        (Kind::Map(of), Value::Object(map)) => {
            if service.shape(of.key).sensitive {
                return None;
            }
            let entry = |(key, item): (&String, &Value)| Some((key.clone(), kept(service, of.value, item)?));
            Value::Object(map.iter().filter_map(entry).collect())
        }
        _ => value.clone(),
    })
}
