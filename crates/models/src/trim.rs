//! From botocore's JSON to records: everything a codec or a validator reads, and no documentation text.

use serde_json::{Map, Value};

use crate::{ModelError, Record};

/// Trims the model of one service.
pub fn trim(service: &str, version: &str, model: &Value) -> Result<Vec<Record>, ModelError> {
    let metadata = object(model, "metadata");
    let mut records = vec![Record::new(["service", service]), Record::new(["api-version", version])];
    let known = [
        ("protocol", "protocol"),
        ("json-version", "jsonVersion"),
        ("target-prefix", "targetPrefix"),
        ("signing-name", "signingName"),
        ("endpoint-prefix", "endpointPrefix"),
        ("service-id", "serviceId"),
        ("xml-namespace", "xmlNamespace"),
    ];
    for (name, key) in known {
        if let Some(value) = metadata.get(key).and_then(Value::as_str) {
            records.push(Record::new([name, value]));
        }
    }
    let protocols = metadata.get("protocols").and_then(Value::as_array).into_iter().flatten();
    for protocol in protocols.filter_map(Value::as_str) {
        records.push(Record::new(["speaks", protocol]));
    }
    if metadata.contains_key("awsQueryCompatible") {
        records.push(Record::new(["query-compatible"]));
    }
    records.extend(object(model, "operations").iter().map(|(name, value)| operation(name, value)));
    for (name, value) in object(model, "shapes") {
        records.push(shape(service, name, value)?);
    }
    Ok(records)
}

fn object<'a>(value: &'a Value, key: &str) -> &'a Map<String, Value> {
    static EMPTY: std::sync::OnceLock<Map<String, Value>> = std::sync::OnceLock::new();
    value.get(key).and_then(Value::as_object).unwrap_or_else(|| EMPTY.get_or_init(Map::new))
}

fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key).and_then(Value::as_str).map(str::to_owned)
}

fn number(value: &Value, key: &str) -> Option<String> {
    value.get(key).filter(|v| v.is_number()).map(Value::to_string)
}

fn is(value: &Value, key: &str) -> bool {
    value.get(key).is_some_and(|v| v.as_bool() != Some(false))
}

fn operation(name: &str, value: &Value) -> Record {
    let http = &value["http"];
    let (method, uri) =
        (text(http, "method").unwrap_or_default(), text(http, "requestUri").unwrap_or_default());
    let mut record = Record::new(["operation", name, &method, &uri]);
    record.value("status", number(http, "responseCode"));
    let unsigned = value["authtype"] == "none" || value["auth"] == serde_json::json!(["smithy.api#noAuth"]);
    record.flag("unsigned", unsigned);
    for kind in ["input", "output"] {
        if let Some(reference) = value.get(kind) {
            let mut line = Record::new([kind, &text(reference, "shape").unwrap_or_default()]);
            line.value("as", text(reference, "locationName"));
            namespace(&mut line, reference);
            line.value("wrapper", text(reference, "resultWrapper"));
            record.lines.push(line);
        }
    }
    for error in value["errors"].as_array().into_iter().flatten() {
        record.lines.push(Record::new(["error", &text(error, "shape").unwrap_or_default()]));
    }
    record
}

fn shape(service: &str, name: &str, value: &Value) -> Result<Record, ModelError> {
    let kind = text(value, "type").unwrap_or_default();
    let target = |key: &str| text(&value[key], "shape").unwrap_or_default();
    let mut record = match kind.as_str() {
        "structure" => Record::new(["structure", name]),
        "list" => Record::new(["list", name, &target("member")]),
        "map" => Record::new(["map", name, &target("key"), &target("value")]),
        "string" | "integer" | "long" | "float" | "double" | "boolean" | "blob" | "timestamp" => {
            Record::new([kind.as_str(), name])
        }
        other => {
            let what = format!("shape {name} is of the unknown type {other}");
            return Err(ModelError::Unknown { service: service.to_owned(), what });
        }
    };
    record.value("min", number(value, "min"));
    record.value("max", number(value, "max"));
    record.value("pattern", text(value, "pattern"));
    for flag in [
        "sensitive",
        "flattened",
        "streaming",
        "union",
        "document",
        "eventstream",
        "event",
        "exception",
        "fault",
    ] {
        record.flag(flag, is(value, flag));
    }
    record.value("time", text(value, "timestampFormat"));
    record.value("item", text(&value["member"], "locationName"));
    record.value("key", text(&value["key"], "locationName"));
    record.value("value", text(&value["value"], "locationName"));
    record.value("as", text(value, "locationName"));
    namespace(&mut record, value);
    record.value("payload", text(value, "payload"));
    record.value("code", text(&value["error"], "code"));
    record.value("status", number(&value["error"], "httpStatusCode"));
    record.flag("sender", is(&value["error"], "senderFault"));
    let required: Vec<&str> =
        value["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (member_name, member_value) in object(value, "members") {
        record.lines.push(member(member_name, member_value, required.contains(&member_name.as_str())));
    }
    for option in value["enum"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        record.lines.push(Record::new(["|", option]));
    }
    Ok(record)
}

fn member(name: &str, value: &Value, required: bool) -> Record {
    let mut line = Record::new([name, &text(value, "shape").unwrap_or_default()]);
    line.flag("required", required);
    line.value("in", text(value, "location"));
    line.value("as", text(value, "locationName"));
    line.value("time", text(value, "timestampFormat"));
    namespace(&mut line, value);
    line.flag("flattened", is(value, "flattened"));
    line.flag("attribute", is(value, "xmlAttribute"));
    line.flag("streaming", is(value, "streaming"));
    line.flag("host-label", is(value, "hostLabel"));
    line.flag("token", is(value, "idempotencyToken"));
    line
}

fn namespace(record: &mut Record, value: &Value) {
    record.value("namespace", text(&value["xmlNamespace"], "uri"));
    record.value("prefix", text(&value["xmlNamespace"], "prefix"));
}

/// The text file of one service, taken from botocore's data folder.
pub fn file(data: &std::path::Path, service: &str) -> Result<String, ModelError> {
    let (version, model) = crate::botocore::newest_model(data, service)?;
    let records = trim(service, &version, &model)?;
    let origin = format!(
        "# From botocore {} (Apache-2.0), trimmed by `homeport-models trim`; not edited by hand.\n\n",
        crate::BOTOCORE_VERSION
    );
    Ok(origin + &crate::text::write(&records))
}
