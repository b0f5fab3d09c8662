//! What tests of exports and of imports have in common.

use std::io::{Read, Write};

use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use homeport_testkit::{TestApp, TestCaller};
use serde_json::{Value, json};

use super::app::{done, hash_table};

pub(super) const ACCOUNT: &str = "123456789012";

pub(super) fn arn(table: &str) -> String {
    format!("arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/{table}")
}

pub(super) async fn bucket(caller: &TestCaller, name: &str) {
    caller.send("s3", "PUT", &format!("/{name}"), &[], b"").await.ok();
}

pub(super) async fn put_object(caller: &TestCaller, target: &str, body: &[u8]) {
    let length = body.len().to_string();
    caller.send("s3", "PUT", target, &[("content-length", &length)], body).await.ok();
}

pub(super) async fn object(caller: &TestCaller, bucket: &str, key: &str) -> Vec<u8> {
    caller.send("s3", "GET", &format!("/{bucket}/{key}"), &[], b"").await.ok().body.to_vec()
}

/// All keys of a bucket.
pub(super) async fn keys(caller: &TestCaller, bucket: &str) -> Vec<String> {
    let listed = caller.send("s3", "GET", &format!("/{bucket}?list-type=2"), &[], b"").await.ok();
    let text = listed.text();
    text.split("<Key>").skip(1).filter_map(|rest| Some(rest.split_once("</Key>")?.0.to_owned())).collect()
}

pub(super) fn gunzip(bytes: &[u8]) -> String {
    let mut text = String::new();
    GzDecoder::new(bytes).read_to_string(&mut text).unwrap();
    text
}

pub(super) fn gzip(text: &str) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), flate2::Compression::default());
    out.write_all(text.as_bytes()).unwrap();
    out.finish().unwrap()
}

/// A table with point-in-time recovery.
pub(super) async fn recoverable(caller: &TestCaller, name: &str) {
    done(caller, "CreateTable", hash_table(name)).await;
    let specification = json!({"PointInTimeRecoveryEnabled": true});
    let asked = json!({"TableName": name, "PointInTimeRecoverySpecification": specification});
    done(caller, "UpdateContinuousBackups", asked).await;
}

/// Asks for an export of `notes` into `bucket`; its description.
pub(super) async fn export(caller: &TestCaller, further: Value) -> Value {
    let mut asked = json!({"TableArn": arn("notes"), "S3Bucket": "bucket"});
    asked.as_object_mut().unwrap().extend(further.as_object().unwrap().clone());
    done(caller, "ExportTableToPointInTime", asked).await["ExportDescription"].clone()
}

pub(super) async fn described_export(caller: &TestCaller, export: &Value) -> Value {
    let asked = json!({"ExportArn": export["ExportArn"]});
    done(caller, "DescribeExport", asked).await["ExportDescription"].clone()
}

/// What an import into the table `copy` asks for.
pub(super) fn importing(format: &str, prefix: &str, further: Value) -> Value {
    let mut asked = json!({
        "ClientToken": "token",
        "S3BucketSource": {"S3Bucket": "bucket", "S3KeyPrefix": prefix},
        "InputFormat": format,
        "TableCreationParameters": hash_table("copy"),
    });
    asked.as_object_mut().unwrap().extend(further.as_object().unwrap().clone());
    asked
}

pub(super) async fn import(caller: &TestCaller, asked: Value) -> Value {
    done(caller, "ImportTable", asked).await["ImportTableDescription"].clone()
}

pub(super) async fn described_import(caller: &TestCaller, import: &Value) -> Value {
    let asked = json!({"ImportArn": import["ImportArn"]});
    done(caller, "DescribeImport", asked).await["ImportTableDescription"].clone()
}

/// All items of a table in the order of their keys.
pub(super) async fn items(caller: &TestCaller, table: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let mut asked = json!({"TableName": table});
    loop {
        let page = done(caller, "Scan", asked.clone()).await;
        items.extend(page["Items"].as_array().unwrap().clone());
        if page["LastEvaluatedKey"].is_null() {
            break;
        }
        asked["ExclusiveStartKey"] = page["LastEvaluatedKey"].clone();
    }
    items.sort_by_key(|item| item["p"]["S"].as_str().unwrap_or_default().to_owned());
    items
}

pub(super) fn now(app: &TestApp) -> f64 {
    homeport_core::Clock::now(&*app.clock).seconds_f64()
}

/// A policy that allows these actions everywhere.
pub(super) fn allowing(actions: &[&str]) -> String {
    let statement = json!({"Effect": "Allow", "Action": actions, "Resource": "*"});
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}
