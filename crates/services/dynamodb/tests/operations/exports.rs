use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use homeport_testkit::TestCaller;
use serde_json::{Value, json};

use super::app::{app_with_buckets, call, done, put, refusal};
use super::transfers::{
    ACCOUNT, allowing, arn, bucket, described_export, export, gunzip, keys, now, object, recoverable,
};

fn note(name: &str, value: &str) -> Value {
    json!({"p": {"S": name}, "v": {"S": value}})
}

/// What the files of an export's manifest hold, each line as JSON.
async fn lines(caller: &TestCaller, manifest: &str) -> Vec<Value> {
    let summary: Value = serde_json::from_slice(&object(caller, "bucket", manifest).await).unwrap();
    let files = object(caller, "bucket", summary["manifestFilesS3Key"].as_str().unwrap()).await;
    let (mut lines, mut counted) = (Vec::new(), 0);
    for file in String::from_utf8(files.clone()).unwrap().lines() {
        let file: Value = serde_json::from_str(file).unwrap();
        let bytes = object(caller, "bucket", file["dataFileS3Key"].as_str().unwrap()).await;
        assert_eq!(file["md5Checksum"], md5(&bytes));
        let text = gunzip(&bytes);
        assert_eq!(file["itemCount"], json!(text.lines().count()));
        counted += text.lines().count();
        lines.extend(text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()));
    }
    assert_eq!(summary["itemCount"], json!(counted));
    for name in ["manifest-files", "manifest-summary"] {
        let [json, checksum] = ["json", "md5"]
            .map(|ending| manifest.replace("manifest-summary.json", &format!("{name}.{ending}")));
        let expected = md5(&object(caller, "bucket", &json).await);
        assert_eq!(object(caller, "bucket", &checksum).await, expected.as_bytes());
    }
    lines.sort_by_key(|line| line.to_string());
    lines
}

fn md5(bytes: &[u8]) -> String {
    use md5::{Digest, Md5};
    STANDARD.encode(Md5::digest(bytes))
}

fn of(items: &[Value]) -> Vec<Value> {
    let mut lines: Vec<Value> = items.iter().map(|item| json!({"Item": item})).collect();
    lines.sort_by_key(Value::to_string);
    lines
}

#[tokio::test]
async fn an_export_holds_the_table_as_it_was_at_its_moment() {
    let (app, service) = app_with_buckets();
    let admin = app.admin();
    bucket(&admin, "bucket").await;
    recoverable(&admin, "notes").await;
    let mut expected = Vec::new();
    for number in 0..30 {
        let item = note(&format!("{number:02}"), &"x".repeat(number * 40));
        put(&admin, "notes", item.clone()).await;
        expected.push(item);
    }
    let at = now(&app);
    app.clock.advance_seconds(10);
    put(&admin, "notes", note("00", "changed")).await;
    done(&admin, "DeleteItem", json!({"TableName": "notes", "Key": {"p": {"S": "01"}}})).await;
    let asked = json!({"ExportTime": at, "S3Prefix": "a/b/", "ClientToken": "token"});
    let begun = export(&admin, asked.clone()).await;
    assert_eq!((&begun["ExportStatus"], &begun["ExportType"]), (&json!("IN_PROGRESS"), &Value::Null));
    assert_eq!((&begun["TableArn"], &begun["ExportTime"]), (&json!(arn("notes")), &json!(at)));
    assert_eq!(begun["ExportFormat"], "DYNAMODB_JSON");
    let (code, _) = refusal(&admin, "DeleteTable", json!({"TableName": "notes"})).await;
    assert_eq!(code, "ResourceInUseException");
    // What is written while the job runs is not in it either.
    put(&admin, "notes", note("late", "x")).await;
    service.do_transfers().await.unwrap();
    let ended = described_export(&admin, &begun).await;
    assert_eq!((&ended["ExportStatus"], &ended["ItemCount"]), (&json!("COMPLETED"), &json!(30)));
    let manifest = ended["ExportManifest"].as_str().unwrap();
    let id = begun["ExportArn"].as_str().unwrap().rsplit('/').next().unwrap();
    assert_eq!(manifest, format!("a/b/AWSDynamoDB/{id}/manifest-summary.json"));
    assert_eq!(lines(&admin, manifest).await, of(&expected));
    let summary: Value = serde_json::from_slice(&object(&admin, "bucket", manifest).await).unwrap();
    for (name, value) in [
        ("version", json!("2020-06-30")),
        ("exportArn", begun["ExportArn"].clone()),
        ("tableArn", json!(arn("notes"))),
        ("tableId", begun["TableId"].clone()),
        ("s3Bucket", json!("bucket")),
        ("s3Prefix", json!("a/b/")),
        ("s3SseAlgorithm", json!("AES256")),
        ("s3SseKmsKeyId", Value::Null),
        ("outputFormat", json!("DYNAMODB_JSON")),
        ("billedSizeBytes", ended["BilledSizeBytes"].clone()),
    ] {
        assert_eq!(summary[name], value, "{name}");
    }
    let kept = keys(&admin, "bucket").await;
    assert!(kept.contains(&format!("a/b/AWSDynamoDB/{id}/_started")), "{kept:?}");
    assert_eq!(kept.len(), 6, "{kept:?}");
    // The same again is the same, and other than that a conflict.
    assert_eq!(export(&admin, asked.clone()).await["ExportArn"], begun["ExportArn"]);
    let mut other =
        json!({"TableArn": arn("notes"), "S3Bucket": "bucket", "ExportTime": at, "ClientToken": "token"});
    let conflict = refusal(&admin, "ExportTableToPointInTime", other.clone()).await;
    let said = "Duplicate request detected with conflicting parameters";
    assert_eq!(conflict, ("ExportConflictException".into(), said.into()));
    app.clock.advance_seconds(8 * 3_600 + 1);
    other["ExportTime"] = json!(now(&app));
    let later = done(&admin, "ExportTableToPointInTime", other).await["ExportDescription"].clone();
    assert_ne!(later["ExportArn"], begun["ExportArn"]);
    service.do_transfers().await.unwrap();
    done(&admin, "DeleteTable", json!({"TableName": "notes"})).await;
}

#[tokio::test]
async fn an_empty_table_has_one_file_and_a_large_one_many() {
    let (app, service) = app_with_buckets();
    let admin = app.admin();
    bucket(&admin, "bucket").await;
    recoverable(&admin, "notes").await;
    let empty = export(&admin, json!({})).await;
    service.do_transfers().await.unwrap();
    let empty = described_export(&admin, &empty).await;
    assert!(lines(&admin, empty["ExportManifest"].as_str().unwrap()).await.is_empty());
    let mut expected = Vec::new();
    for number in 0..40 {
        let item = note(&format!("{number:02}"), &format!("{number}").repeat(190_000));
        put(&admin, "notes", item.clone()).await;
        expected.push(item);
    }
    let large = export(&admin, json!({"S3Prefix": "large"})).await;
    service.do_transfers().await.unwrap();
    let large = described_export(&admin, &large).await;
    assert_eq!(lines(&admin, large["ExportManifest"].as_str().unwrap()).await, of(&expected));
    let files = keys(&admin, "bucket").await.into_iter().filter(|key| key.starts_with("large/"));
    assert!(files.filter(|key| key.ends_with(".json.gz")).count() > 1);
}

#[tokio::test]
async fn an_incremental_export_tells_what_became_of_what_was_written() {
    let (app, service) = app_with_buckets();
    let admin = app.admin();
    bucket(&admin, "bucket").await;
    recoverable(&admin, "notes").await;
    for name in ["changed", "gone", "same"] {
        put(&admin, "notes", note(name, "old")).await;
    }
    app.clock.advance_seconds(60);
    let from = now(&app);
    put(&admin, "notes", note("changed", "between")).await;
    put(&admin, "notes", note("changed", "new")).await;
    let written = now(&app);
    done(&admin, "DeleteItem", json!({"TableName": "notes", "Key": {"p": {"S": "gone"}}})).await;
    put(&admin, "notes", note("brief", "x")).await;
    done(&admin, "DeleteItem", json!({"TableName": "notes", "Key": {"p": {"S": "brief"}}})).await;
    put(&admin, "notes", note("made", "new")).await;
    app.clock.advance_seconds(20 * 60);
    let to = now(&app);
    // The moment that it ends with is not in it.
    put(&admin, "notes", note("late", "x")).await;
    app.clock.advance_seconds(60);
    let asked = |view: &str| {
        let span = json!({"ExportFromTime": from, "ExportToTime": to, "ExportViewType": view});
        json!({"ExportType": "INCREMENTAL_EXPORT", "IncrementalExportSpecification": span})
    };
    let micros = json!({"WriteTimestampMicros": {"N": format!("{}", (written * 1e6) as i64)}});
    let line = |name: &str, images: Value| {
        let mut line = json!({"Metadata": micros, "Keys": {"p": {"S": name}}});
        line.as_object_mut().unwrap().extend(images.as_object().unwrap().clone());
        line
    };
    let begun = export(&admin, asked("NEW_AND_OLD_IMAGES")).await;
    assert_eq!(begun["IncrementalExportSpecification"]["ExportFromTime"], json!(from));
    service.do_transfers().await.unwrap();
    let ended = described_export(&admin, &begun).await;
    assert_eq!(
        (&ended["ExportStatus"], &ended["ExportType"]),
        (&json!("COMPLETED"), &json!("INCREMENTAL_EXPORT"))
    );
    let mut expected = vec![
        line("changed", json!({"OldImage": note("changed", "old"), "NewImage": note("changed", "new")})),
        line("gone", json!({"OldImage": note("gone", "old")})),
        line("made", json!({"NewImage": note("made", "new")})),
    ];
    expected.sort_by_key(Value::to_string);
    assert_eq!(lines(&admin, ended["ExportManifest"].as_str().unwrap()).await, expected);
    let data =
        keys(&admin, "bucket").await.into_iter().filter(|key| key.starts_with("AWSDynamoDB/data/")).count();
    assert_eq!(data, 1, "the data of incremental exports lie together");
    let begun = export(&admin, asked("NEW_IMAGE")).await;
    service.do_transfers().await.unwrap();
    let ended = described_export(&admin, &begun).await;
    let manifest = ended["ExportManifest"].as_str().unwrap();
    let summary: Value = serde_json::from_slice(&object(&admin, "bucket", manifest).await).unwrap();
    assert_eq!(
        (&summary["outputView"], &summary["exportType"]),
        (&json!("NEW_IMAGE"), &json!("INCREMENTAL_EXPORT"))
    );
    let lines = lines(&admin, manifest).await;
    assert!(lines.iter().all(|line| line.get("OldImage").is_none()));
    assert_eq!(lines.iter().filter(|line| line.get("NewImage").is_none()).count(), 1, "the one that is gone");
}

#[tokio::test]
async fn what_the_bucket_refuses_fails_the_export_and_not_the_call() {
    let (app, service) = app_with_buckets();
    let admin = app.admin();
    bucket(&admin, "bucket").await;
    recoverable(&admin, "notes").await;
    put(&admin, "notes", note("a", "x")).await;
    let missing = export(&admin, json!({"S3Bucket": "missing"})).await;
    let foreign = export(&admin, json!({"S3BucketOwner": "000000000001"})).await;
    let long = export(&admin, json!({"S3Prefix": "p".repeat(1_020)})).await;
    let exporter = app.user("exporter", &[&allowing(&["dynamodb:*"])]);
    let denied = export(&exporter, json!({"S3Prefix": "denied"})).await;
    let one = json!({"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::bucket/one/*",
        "Condition": {"ForAnyValue:StringEquals": {"aws:CalledVia": "dynamodb.amazonaws.com"}}});
    let policy = json!({"Version": "2012-10-17", "Statement": [one]}).to_string();
    let narrow = app.user("narrow", &[&allowing(&["dynamodb:*"]), &policy]);
    let allowed = export(&narrow, json!({"S3Prefix": "one", "S3BucketOwner": ACCOUNT})).await;
    let elsewhere = export(&narrow, json!({"S3Prefix": "two"})).await;
    service.do_transfers().await.unwrap();
    for (export, code, said) in [
        (
            missing,
            "S3NoSuchBucket",
            "The specified bucket does not exist (Service: Amazon S3; Status Code: 404; Error Code: NoSuchBucket)",
        ),
        (
            foreign,
            "S3AccessDenied",
            "Access Denied (Service: Amazon S3; Status Code: 403; Error Code: AccessDenied)",
        ),
        (
            long,
            "S3KeyTooLongError",
            "Your key is too long (Service: Amazon S3; Status Code: 400; Error Code: KeyTooLongError)",
        ),
        (denied, "S3AccessDenied", "is not authorized to perform: s3:PutObject"),
        (elsewhere, "S3AccessDenied", "is not authorized to perform: s3:PutObject"),
    ] {
        let ended = described_export(&admin, &export).await;
        assert_eq!(
            (&ended["ExportStatus"], &ended["FailureCode"]),
            (&json!("FAILED"), &json!(code)),
            "{ended}"
        );
        assert!(ended["FailureMessage"].as_str().unwrap().contains(said), "{ended}");
        assert!(ended["EndTime"].is_f64() && ended["ExportManifest"].is_null());
    }
    assert_eq!(described_export(&admin, &allowed).await["ExportStatus"], "COMPLETED");
    assert!(keys(&admin, "bucket").await.iter().all(|key| key.starts_with("one/")));
    // A bucket's own policy has its say, also against an administrator.
    let deny = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*",
        "Action": "s3:PutObject", "Resource": "arn:aws:s3:::bucket/*/data/*"}]});
    let deny = deny.to_string();
    let digest = md5(deny.as_bytes());
    admin.send("s3", "PUT", "/bucket?policy", &[("content-md5", &digest)], deny.as_bytes()).await.ok();
    let late = export(&admin, json!({"S3Prefix": "late"})).await;
    service.do_transfers().await.unwrap();
    assert_eq!(described_export(&admin, &late).await["FailureCode"], "S3AccessDenied");
    assert!(
        keys(&admin, "bucket").await.iter().any(|key| key.ends_with("/_started") && key.starts_with("late/"))
    );
    // Nothing is left to do, and nothing asks for the history any more.
    let rows = app.rows().await;
    for name in ["dynamodb-transfers", "dynamodb-export-files"] {
        let root = homeport_store::Key::of(name);
        assert!(!rows.iter().any(|(key, _)| key.starts_with(root.as_bytes())), "{name}");
    }
    done(&admin, "DeleteTable", json!({"TableName": "notes"})).await;
}

#[tokio::test]
async fn whoever_lost_the_right_after_asking_exports_nothing() {
    let (app, service) = app_with_buckets();
    let admin = app.admin();
    bucket(&admin, "bucket").await;
    recoverable(&admin, "notes").await;
    let both = app.user("exporter", &[&allowing(&["dynamodb:*", "s3:PutObject"])]);
    let begun = export(&both, json!({})).await;
    app.iam.put_user("AKIAEXPORTER00000000", &[&allowing(&["dynamodb:*"])]);
    service.do_transfers().await.unwrap();
    assert_eq!(described_export(&admin, &begun).await["FailureCode"], "S3AccessDenied");
    assert!(keys(&admin, "bucket").await.is_empty());
}

#[tokio::test]
async fn exports_are_listed_newest_first_in_pages_for_ninety_days() {
    let (app, service) = app_with_buckets();
    let admin = app.admin();
    recoverable(&admin, "notes").await;
    recoverable(&admin, "other").await;
    let mut begun = Vec::new();
    for _ in 0..5 {
        app.clock.advance_seconds(1);
        begun.insert(0, export(&admin, json!({})).await["ExportArn"].clone());
        export(&admin, json!({"TableArn": arn("other")})).await;
    }
    service.do_transfers().await.unwrap();
    let (mut found, mut token) = (Vec::new(), Value::Null);
    loop {
        let asked = json!({"TableArn": arn("notes"), "MaxResults": 2, "NextToken": token});
        let page = done(&admin, "ListExports", asked).await;
        let summaries = page["ExportSummaries"].as_array().unwrap();
        assert!(summaries.len() <= 2);
        assert!(
            summaries
                .iter()
                .all(|summary| summary["ExportStatus"] == "FAILED" && summary["ExportType"] == "FULL_EXPORT")
        );
        found.extend(summaries.iter().map(|summary| summary["ExportArn"].clone()));
        token = page["NextToken"].clone();
        if token.is_null() {
            break;
        }
        let elsewhere = json!({"TableArn": arn("other"), "NextToken": token});
        assert_eq!(refusal(&admin, "ListExports", elsewhere).await.0, "ValidationException");
    }
    assert_eq!(found, begun);
    let all = done(&admin, "ListExports", json!({})).await;
    assert_eq!(all["ExportSummaries"].as_array().unwrap().len(), 10);
    let none = done(&admin, "ListExports", json!({"TableArn": arn("nope")})).await;
    assert_eq!(none, json!({"ExportSummaries": []}));
    assert_eq!(done(&admin.clone().in_region("eu-west-1"), "ListExports", json!({})).await, none);
    let invalid = json!({"NextToken": "0123456789abcdef".repeat(16)});
    assert_eq!(refusal(&admin, "ListExports", invalid).await.0, "ValidationException");
    assert_eq!(refusal(&admin, "ListExports", json!({"MaxResults": 26})).await.0, "ValidationException");
    app.clock.advance_seconds(90 * 24 * 3_600 - 10);
    service.tidy().await.unwrap();
    assert_eq!(done(&admin, "ListExports", json!({})).await["ExportSummaries"].as_array().unwrap().len(), 10);
    app.clock.advance_seconds(11);
    service.tidy().await.unwrap();
    assert_eq!(done(&admin, "ListExports", json!({})).await, none);
    let gone = refusal(&admin, "DescribeExport", json!({"ExportArn": begun[0]})).await;
    assert_eq!(gone, ("ExportNotFoundException".into(), "The specified export was not found.".into()));
}

#[tokio::test]
async fn what_cannot_be_exported_is_refused() {
    let (app, _) = app_with_buckets();
    let admin = app.admin();
    recoverable(&admin, "notes").await;
    done(&admin, "CreateTable", super::app::hash_table("plain")).await;
    app.clock.advance_seconds(2 * 24 * 3_600);
    let now = now(&app);
    let (outside, validation) = ("InvalidExportTimeException", "ValidationException");
    let incremental = |from: f64, to: f64| {
        let span = json!({"ExportFromTime": from, "ExportToTime": to});
        json!({"ExportType": "INCREMENTAL_EXPORT", "IncrementalExportSpecification": span})
    };
    for (further, code, said) in [
        (json!({"TableArn": arn("nope")}), "TableNotFoundException", "Table not found: nope"),
        (
            json!({"TableArn": arn("plain")}),
            "PointInTimeRecoveryUnavailableException",
            "Point in time recovery is not enabled for table 'plain'",
        ),
        (json!({"TableArn": "notes"}), validation, "Invalid TableArn: notes"),
        (json!({"TableArn": format!("{}/export/1", arn("notes"))}), validation, "Invalid TableArn"),
        (
            json!({"ExportTime": -1}),
            outside,
            "The specified ExportTime is outside of the point in time recovery window.",
        ),
        (json!({"ExportTime": now + 60.0}), outside, "The specified ExportTime is outside"),
        (json!({"S3Bucket": ""}), validation, "s3Bucket"),
        (json!({"S3Prefix": ""}), validation, "s3Prefix"),
        (json!({"S3BucketOwner": "me"}), validation, "s3BucketOwner"),
        (json!({"ExportFormat": "CSV"}), validation, "exportFormat"),
        (json!({"ClientToken": ""}), validation, "clientToken"),
        (json!({"S3SseAlgorithm": "KMS"}), validation, "there are no keys of KMS"),
        (
            json!({"FilterSpecification": {"FilterExpression": "a = :a"}}),
            validation,
            "FilterSpecification is not supported",
        ),
        (
            json!({"ExportType": "INCREMENTAL_EXPORT"}),
            validation,
            "IncrementalExportSpecification must be specified",
        ),
        (
            json!({"IncrementalExportSpecification": {"ExportFromTime": now}}),
            validation,
            "IncrementalExportSpecification can only",
        ),
        (
            incremental(now - 60.0, now),
            outside,
            "Difference between export period from time and export period to time is less than 15 minutes",
        ),
        (incremental(now - 90_000.0, now), outside, "is more than 24 hours"),
        (incremental(now - 3_600.0, now + 3_600.0), outside, "The specified ExportToTime"),
        (incremental(now - 200_000.0, now - 150_000.0), outside, "The specified ExportFromTime"),
    ] {
        let mut asked = json!({"TableArn": arn("notes"), "S3Bucket": "bucket"});
        asked.as_object_mut().unwrap().extend(further.as_object().unwrap().clone());
        let refused = refusal(&admin, "ExportTableToPointInTime", asked).await;
        assert_eq!(refused.0, code, "{further}: {}", refused.1);
        assert!(refused.1.contains(said), "{further}: {}", refused.1);
    }
    let no_export = |arn: String| json!({"ExportArn": arn});
    let invalid = refusal(&admin, "DescribeExport", no_export(arn("nonexistent_table"))).await;
    assert_eq!(invalid, (validation.into(), "Invalid Export ARN".into()));
    let unknown = format!("{}/export/01489602797149-73d8d5bc", arn("notes"));
    assert_eq!(refusal(&admin, "DescribeExport", no_export(unknown)).await.0, "ExportNotFoundException");
    let reader = app.user("reader", &[&allowing(&["dynamodb:Describe*", "s3:*"])]);
    let asked = json!({"TableArn": arn("notes"), "S3Bucket": "bucket"});
    call(&reader, "ExportTableToPointInTime", asked).await.refused("AccessDeniedException", 400);
}
