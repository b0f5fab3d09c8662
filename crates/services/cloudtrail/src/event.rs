use homeport_service::{AuditRow, Outcome};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// An event as `LookupEvents` answers it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Event {
    event_id: String,
    event_name: String,
    read_only: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_key_id: Option<String>,
    event_time: f64,
    event_source: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    resources: Vec<Value>,
    cloud_trail_event: String,
}

/// The version of the record's form that AWS states in `eventVersion`.
const EVENT_VERSION: &str = "1.11";

pub(crate) fn of(row: &AuditRow, account: &str) -> Event {
    Event {
        event_id: row.event_id.clone(),
        event_name: row.event_name.clone(),
        read_only: row.read_only.to_string(),
        access_key_id: access_key_id(row).map(str::to_owned),
        event_time: row.time.seconds_f64(),
        event_source: row.event_source.clone(),
        username: username(row).map(str::to_owned),
        resources: Vec::new(),
        cloud_trail_event: record(row, account).to_string(),
    }
}

/// The access key that signed the call.
pub(crate) fn access_key_id(row: &AuditRow) -> Option<&str> {
    row.user_identity.get("accessKeyId").and_then(Value::as_str).filter(|key| !key.is_empty())
}

/// The user's name, or a session's.
pub(crate) fn username(row: &AuditRow) -> Option<&str> {
    let identity = &row.user_identity;
    match identity.get("userName").and_then(Value::as_str) {
        Some(name) => Some(name),
        None => identity.get("arn").and_then(Value::as_str).and_then(|arn| arn.rsplit('/').next()),
    }
}

/// The record, by "CloudTrail record contents" of the CloudTrail user guide.
fn record(row: &AuditRow, account: &str) -> Value {
    let mut record = Map::new();
    let mut put = |name: &str, value: Value| record.insert(name.to_owned(), value);
    put("eventVersion", json!(EVENT_VERSION));
    put("userIdentity", row.user_identity.clone());
    put("eventTime", json!(row.time.rfc3339_seconds()));
    put("eventSource", json!(row.event_source));
    put("eventName", json!(row.event_name));
    put("awsRegion", json!(row.region));
    put("sourceIPAddress", json!(row.source_ip));
    put("userAgent", json!(row.user_agent));
    if let Outcome::Refused { code, message } = &row.outcome {
        put("errorCode", json!(code));
        put("errorMessage", json!(message));
    }
    put("requestParameters", row.request_parameters.clone());
    put("responseElements", Value::Null);
    put("requestID", json!(row.request_id));
    put("eventID", json!(row.event_id));
    put("readOnly", json!(row.read_only));
    put("eventType", json!("AwsApiCall"));
    put("managementEvent", json!(true));
    put("recipientAccountId", json!(account));
    put("eventCategory", json!("Management"));
    Value::Object(record)
}
