//! Required members, lengths, ranges, patterns and enumerations, refused in AWS's words.

use homeport_core::Fault;
use serde_json::{Map, Value};

use crate::faults;
use crate::model::{Kind, Location, Operation, Service, Shape, ShapeId, Structure};

/// Violations beyond this many are not listed (AWS stops there too).
pub const MAX_VIOLATIONS: usize = 10;

/// Holds a canonical input against its operation's model.
///
/// # Errors
/// All violations in one message: `1 validation error detected: Value 'a' at 'tableName' failed to satisfy constraint:
/// Member must have length greater than or equal to 3`. The code is the service's own.
pub fn validate(service: &Service, operation: &Operation, input: &Value) -> Result<(), Fault> {
    let Some(shape) = operation.input else {
        return Ok(());
    };
    let mut walk = Walk { service, violations: Vec::new(), in_body: false };
    walk.value(service.shape(shape), input, &mut String::new());
    if walk.violations.is_empty() {
        return Ok(());
    }
    if service.name == "s3" && walk.in_body {
        return Err(faults::serialization(service, walk.violations.join("; ")));
    }
    let count = walk.violations.len();
    let errors = if count == 1 { "error" } else { "errors" };
    let message = format!("{count} validation {errors} detected: {}", walk.violations.join("; "));
    Err(faults::validation(service, message))
}

struct Walk<'a> {
    service: &'a Service,
    violations: Vec<String>,
    /// A violation lies within the body (S3 calls those MalformedXML).
    in_body: bool,
}

impl Walk<'_> {
    fn violated(&mut self, shape: &Shape, value: &Value, path: &str, constraint: &str) {
        if self.violations.len() < MAX_VIOLATIONS {
            let value = shown(self.service, shape, value);
            self.violations
                .push(format!("Value {value} at '{path}' failed to satisfy constraint: {constraint}"));
        }
    }

    fn value(&mut self, shape: &Shape, value: &Value, path: &mut String) {
        for constraint in broken(shape, value) {
            self.violated(shape, value, path, &constraint);
        }
        match (&shape.kind, value) {
            (Kind::Structure(structure), Value::Object(map)) if !structure.document => {
                self.structure(structure, map, path);
            }
            (Kind::List(list), Value::Array(items)) => {
                let item = self.service.shape(list.item);
                self.items(shape, value, path, item, items.iter(), "Member");
                if !is_scalar(item) {
                    for (at, value) in items.iter().enumerate().filter(|(_, v)| !v.is_null()) {
                        self.below(path, &format!(".{}.member", at + 1), item, value);
                    }
                }
            }
            (Kind::Map(of), Value::Object(map)) => {
                let keys: Vec<Value> = map.keys().map(|key| Value::from(key.as_str())).collect();
                self.items(shape, value, path, self.service.shape(of.key), keys.iter(), "Map keys");
                let item = self.service.shape(of.value);
                self.items(shape, value, path, item, map.values(), "Map value");
                if !is_scalar(item) {
                    for (key, value) in map {
                        self.below(path, &format!(".{key}.member"), item, value);
                    }
                }
            }
            _ => {}
        }
    }

    fn below(&mut self, path: &mut String, step: &str, shape: &Shape, value: &Value) {
        let length = path.len();
        path.push_str(step);
        // What a list or map of lists must hold itself was said of the outer one.
        match (&shape.kind, value) {
            (Kind::Structure(structure), Value::Object(map)) => self.structure(structure, map, path),
            _ => self.value(shape, value, path),
        }
        path.truncate(length);
    }

    fn structure(&mut self, structure: &Structure, map: &Map<String, Value>, path: &mut String) {
        for member in &structure.members {
            if self.violations.len() >= MAX_VIOLATIONS {
                return;
            }
            let value = map.get(member.name);
            // A streaming body is never in the value, so it is not missed.
            if value.is_none() && (!member.required || member.streaming) {
                continue;
            }
            let (length, before) = (path.len(), self.violations.len());
            if !path.is_empty() {
                path.push('.');
            }
            path.extend(lower_camel(member.name));
            let shape = self.service.shape(member.shape);
            match value {
                Some(value) => self.value(shape, value, path),
                None => self.violated(shape, &Value::Null, path, "Member must not be null"),
            }
            path.truncate(length);
            if path.is_empty() && member.location == Location::Body && self.violations.len() > before {
                self.in_body = true;
            }
        }
    }

    /// What scalar items of a list or map break is said once, of the whole list, with all that items must satisfy.
    fn items<'v>(
        &mut self,
        outer: &Shape,
        whole: &Value,
        path: &str,
        item: &Shape,
        mut items: impl Iterator<Item = &'v Value>,
        what: &str,
    ) {
        let scalar = is_scalar(item);
        let breaks = |value: &Value| value.is_null() || (scalar && !broken(item, value).is_empty());
        if items.any(breaks) {
            let all = if scalar { all_constraints(item) } else { vec!["Member must not be null".to_owned()] };
            let constraint = format!("{what} must satisfy constraint: [{}]", all.join(", "));
            let sensitive = item.sensitive && !outer.sensitive;
            self.violated(if sensitive { item } else { outer }, whole, path, &constraint);
        }
    }
}

fn is_scalar(shape: &Shape) -> bool {
    !matches!(shape.kind, Kind::Structure(_) | Kind::List(_) | Kind::Map(_))
}

/// `TableName` as messages have it: `tableName`.
fn lower_camel(name: &str) -> impl Iterator<Item = char> {
    let mut chars = name.chars();
    chars.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(chars)
}

/// How a message shows a value. Sensitive ones, and whole structures, are never shown.
fn shown(service: &Service, shape: &Shape, value: &Value) -> String {
    if value.is_null() {
        return "null".to_owned();
    }
    if shape.sensitive || holds_sensitive(service, shape, 4) {
        return "'***Sensitive Data Redacted***'".to_owned();
    }
    match value {
        Value::String(text) => format!("'{text}'"),
        Value::Array(items) => {
            let shown = |item: &Value| item.as_str().map_or_else(|| item.to_string(), str::to_owned);
            format!("'[{}]'", items.iter().map(shown).collect::<Vec<_>>().join(", "))
        }
        Value::Object(map) => {
            let shown = |(key, item): (&String, &Value)| {
                format!("{key}={}", item.as_str().map_or_else(|| item.to_string(), str::to_owned))
            };
            format!("'{{{}}}'", map.iter().map(shown).collect::<Vec<_>>().join(", "))
        }
        other => format!("'{other}'"),
    }
}

/// Whether a shape is, or holds within `depth` steps, a sensitive one.
fn holds_sensitive(service: &Service, shape: &Shape, depth: usize) -> bool {
    let below = |id: ShapeId| depth > 0 && holds_sensitive(service, service.shape(id), depth - 1);
    shape.sensitive
        || match &shape.kind {
            Kind::Structure(structure) => structure.members.iter().any(|member| below(member.shape)),
            Kind::List(list) => below(list.item),
            Kind::Map(map) => below(map.key) || below(map.value),
            _ => false,
        }
}

/// What of a shape's own constraints a value breaks.
fn broken(shape: &Shape, value: &Value) -> Vec<String> {
    let mut broken = Vec::new();
    if let Value::String(text) = value
        && matches!(shape.kind, Kind::String)
    {
        if !shape.options.is_empty() && !shape.options.contains(&text.as_str()) {
            broken.push(enumeration(shape));
        }
        if let Some(pattern) = shape.pattern.as_ref().filter(|pattern| !pattern.matches(text)) {
            broken.push(format!("Member must satisfy regular expression pattern: {}", pattern.source()));
        }
    }
    if shape.min.is_none() && shape.max.is_none() {
        return broken;
    }
    let Some(size) = size(shape, value) else {
        return broken;
    };
    if shape.max.is_some_and(|max| size > max) {
        broken.extend(at_most(shape));
    }
    if shape.min.is_some_and(|min| size < min) {
        broken.extend(at_least(shape));
    }
    broken
}

#[expect(clippy::cast_precision_loss, reason = "no request is so long that a double could not count it")]
fn size(shape: &Shape, value: &Value) -> Option<f64> {
    Some(match (&shape.kind, value) {
        (Kind::String, Value::String(text)) => text.chars().count() as f64,
        (Kind::Blob, Value::String(text)) => {
            let padding = text.bytes().rev().take_while(|b| *b == b'=').count();
            (text.len() / 4 * 3).saturating_sub(padding) as f64
        }
        (Kind::List(_), Value::Array(items)) => items.len() as f64,
        (Kind::Map(_), Value::Object(map)) => map.len() as f64,
        (Kind::Integer | Kind::Long | Kind::Float, Value::Number(_)) => value.as_f64()?,
        _ => return None,
    })
}

/// All constraints of a scalar shape, in the order of AWS's brackets.
fn all_constraints(shape: &Shape) -> Vec<String> {
    let pattern = shape.pattern.as_ref();
    let pattern = pattern.map(|p| format!("Member must satisfy regular expression pattern: {}", p.source()));
    let options = (!shape.options.is_empty()).then(|| enumeration(shape));
    let all: Vec<String> =
        at_most(shape).into_iter().chain(at_least(shape)).chain(pattern).chain(options).collect();
    if all.is_empty() { vec!["Member must not be null".to_owned()] } else { all }
}

fn enumeration(shape: &Shape) -> String {
    format!("Member must satisfy enum value set: [{}]", shape.options.join(", "))
}

fn measured(shape: &Shape) -> &'static str {
    if matches!(shape.kind, Kind::Integer | Kind::Long | Kind::Float) { "value" } else { "length" }
}

fn at_most(shape: &Shape) -> Option<String> {
    shape.max.map(|max| format!("Member must have {} less than or equal to {max}", measured(shape)))
}

fn at_least(shape: &Shape) -> Option<String> {
    shape.min.map(|min| format!("Member must have {} greater than or equal to {min}", measured(shape)))
}
