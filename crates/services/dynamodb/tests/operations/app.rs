use std::sync::Arc;

use homeport_dynamodb::DynamoDb;
use homeport_testkit::{Reply, TestApp, TestCaller};
use serde_json::{Value, json};

pub(super) fn app() -> TestApp {
    working_app().0
}

/// With the service itself, whose work behind the calls is done when a test asks for it.
pub(super) fn working_app() -> (TestApp, Arc<DynamoDb>) {
    let mut made = None;
    let app = TestApp::new(|parts| {
        let (service, hosted) = homeport_dynamodb::host(parts);
        made = Some(service.clone());
        parts.needs.resource_policies.set(vec![("dynamodb", service.clone())]).ok();
        vec![hosted, homeport_dynamodb::streams_host(service)]
    });
    (app, made.expect("the service was made"))
}

/// With the buckets and the logs that exports and imports need.
pub(super) fn app_with_buckets() -> (TestApp, Arc<DynamoDb>) {
    let mut made = None;
    let app = TestApp::new(|parts| {
        let (service, hosted) = homeport_dynamodb::host(parts);
        made = Some(service.clone());
        let (s3, s3_hosted) = homeport_s3::host(parts, &homeport_blobs::Blobs::in_memory("s3"));
        let (logs, logs_hosted) = homeport_logs::host(parts);
        parts.needs.objects.set(homeport_s3::objects(parts, &s3)).ok();
        parts.needs.put_log.set(logs).ok();
        parts.needs.resource_policies.set(vec![("dynamodb", service), ("s3", s3)]).ok();
        vec![hosted, s3_hosted, logs_hosted]
    });
    (app, made.expect("the service was made"))
}

/// A table with a string partition key `p`.
pub(super) fn hash_table(name: &str) -> Value {
    json!({
        "TableName": name,
        "AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
    })
}

/// A table with a string partition key `p` and a sort key `r` of this type.
pub(super) fn range_table(name: &str, kind: &str) -> Value {
    json!({
        "TableName": name,
        "AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"}, {"AttributeName": "r", "AttributeType": kind}],
        "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "r", "KeyType": "RANGE"}],
        "BillingMode": "PAY_PER_REQUEST",
    })
}

pub(super) async fn call(caller: &TestCaller, operation: &str, input: Value) -> Reply {
    caller.call("dynamodb", operation, input).await
}

pub(super) async fn done(caller: &TestCaller, operation: &str, input: Value) -> Value {
    call(caller, operation, input).await.ok().json()
}

/// The code and message of a refusal.
pub(super) async fn refusal(caller: &TestCaller, operation: &str, input: Value) -> (String, String) {
    let reply = call(caller, operation, input).await;
    assert!(reply.status >= 400, "{operation} succeeded: {}", reply.text());
    (reply.code(), reply.message())
}

pub(super) async fn put(caller: &TestCaller, table: &str, item: Value) {
    done(caller, "PutItem", json!({"TableName": table, "Item": item})).await;
}

pub(super) async fn get(caller: &TestCaller, table: &str, key: Value) -> Value {
    done(caller, "GetItem", json!({"TableName": table, "Key": key})).await["Item"].clone()
}

/// The sort keys of a page's items, as text.
pub(super) fn sorts(page: &Value) -> Vec<String> {
    let items = page["Items"].as_array().cloned().unwrap_or_default();
    let text =
        |item: Value| item["r"].as_object().and_then(|r| r.values().next()?.as_str().map(str::to_owned));
    items.into_iter().filter_map(text).collect()
}
