//! The control plane through the whole pipeline, on a machine that runs nothing.

use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use homeport_blobs::{Blobs, SWEEP_AGE_SECONDS};
use homeport_core::{Fault, Region, Scope, SeededRandomness, Timestamp};
use homeport_lambda::{Lambda, Limits, Machine, Outbound};
use homeport_sandbox::{Spawner, Tier};
use homeport_service::{
    AskedOn, Authorizer, Call, CallBody, Caller, Incoming, Permissions, Source, bump_authorization,
};
use homeport_store::{Key, StoreError};
use homeport_testkit::{Decided, Sample, TestApp, TestCaller, assert_strangers_are_refused};
use serde_json::{Value, json};
use zip::write::SimpleFileOptions;

const TRUSTS_LAMBDA: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
    "Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
const TRUSTS_OTHERS: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
    "Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
const ROLE: &str = "arn:aws:iam::123456789012:role/functions";
const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:notes";

static APPS: AtomicU64 = AtomicU64::new(0);

async fn sandbox() -> (Spawner, PathBuf) {
    let number = APPS.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("homeport-lambda-{}-{number}", std::process::id()));
    let limits = homeport_sandbox::Limits { at_most: Tier::Refused, ..homeport_sandbox::Limits::default() };
    (Spawner::probe(&folder.join("sandbox"), limits).await.expect("a probe of nothing"), folder)
}

fn app(spawner: &Spawner, folder: &Path) -> TestApp {
    app_on(Blobs::in_memory("lambda"), spawner, folder).0
}

fn app_on(blobs: Blobs, spawner: &Spawner, folder: &Path) -> (TestApp, Arc<Lambda>) {
    let mut lambda = None;
    let machine = machine(blobs, spawner, folder);
    let app = TestApp::new(|parts| {
        let (service, hosted) = homeport_lambda::host(parts, machine).expect("the service stands");
        parts.needs.resource_policies.set(vec![("lambda", service.clone())]).ok();
        lambda = Some(service);
        vec![hosted]
    });
    app.iam.put_role("functions", TRUSTS_LAMBDA);
    app.iam.put_role("others", TRUSTS_OTHERS);
    (app, lambda.expect("a service"))
}

/// With IAM's own users and roles.
fn app_beside_iam(spawner: &Spawner, folder: &Path) -> TestApp {
    let machine = machine(Blobs::in_memory("lambda"), spawner, folder);
    let app = TestApp::new(|parts| {
        let (iam, iam_hosted) = homeport_iam::host(parts);
        let (lambda, hosted) = homeport_lambda::host(parts, machine).expect("the service stands");
        parts.needs.identify_users.set(iam.clone()).ok();
        parts.needs.policies_of.set(iam.clone()).ok();
        parts.needs.resource_policies.set(vec![("iam", iam), ("lambda", lambda)]).ok();
        vec![iam_hosted, hosted]
    });
    app.iam.put_role("functions", TRUSTS_LAMBDA);
    app
}

fn machine(blobs: Blobs, spawner: &Spawner, folder: &Path) -> Machine {
    let folder = folder.join(APPS.fetch_add(1, Ordering::Relaxed).to_string());
    Machine {
        blobs,
        sandbox: spawner.clone(),
        runtimes: folder.join("runtimes"),
        interpreter_folders: vec![folder.join("no-interpreters")],
        hidden: Vec::new(),
        ca_bundle: None,
        network: Outbound::default(),
        limits: Limits::default(),
        folder,
    }
}

/// The files in a folder and below.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn zip(text: &str) -> String {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file("bootstrap", SimpleFileOptions::default().unix_permissions(0o755)).expect("start");
    writer.write_all(text.as_bytes()).expect("write");
    STANDARD.encode(writer.finish().expect("finish").into_inner())
}

fn creation() -> Value {
    json!({
        "FunctionName": "notes",
        "Runtime": "provided.al2023",
        "Role": ROLE,
        "Handler": "x",
        "Code": {"ZipFile": zip("#!/bin/sh")},
    })
}

fn with(key: &str, value: Value) -> Value {
    let mut input = creation();
    input[key] = value;
    input
}

#[tokio::test]
async fn strangers_are_refused() {
    let (spawner, folder) = sandbox().await;
    let named = json!({"FunctionName": "notes"});
    let permission = json!({
        "FunctionName": "notes", "StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com",
    });
    let after =
        |operation, input: Value| Sample::new("lambda", operation, input).after("CreateFunction", creation());
    let samples = [
        Sample::new("lambda", "CreateFunction", creation()),
        after("UpdateFunctionCode", json!({"FunctionName": "notes", "ZipFile": zip("#!/bin/bash")})),
        after("UpdateFunctionConfiguration", json!({"FunctionName": "notes", "Timeout": 9})),
        after("GetFunction", named.clone()),
        after("GetFunctionConfiguration", named.clone()),
        after("PublishVersion", named.clone()),
        after("ListVersionsByFunction", named.clone()),
        after("DeleteFunction", named.clone()),
        after("Invoke", json!({"FunctionName": "notes", "InvocationType": "DryRun"})),
        after("AddPermission", permission.clone()),
        after("GetPolicy", named.clone()).after("AddPermission", permission.clone()),
        after("RemovePermission", json!({"FunctionName": "notes", "StatementId": "s"}))
            .after("AddPermission", permission),
        after("TagResource", json!({"Resource": ARN, "Tags": {"a": "b"}})),
        after("UntagResource", json!({"Resource": ARN, "TagKeys": ["a"]})),
        after("ListTags", json!({"Resource": ARN})),
        Sample::new("lambda", "ListFunctions", json!({})),
    ];
    assert_strangers_are_refused(|| app(&spawner, &folder), &samples).await;
}

#[tokio::test]
async fn a_function_is_created_shown_changed_and_deleted() {
    let (spawner, folder) = sandbox().await;
    let app = app(&spawner, &folder);
    let admin = app.admin();
    let created = admin.call("lambda", "CreateFunction", creation()).await.ok();
    assert_eq!(created.status, 201);
    let created = created.json();
    assert_eq!(created["FunctionArn"], ARN);
    assert_eq!((&created["Timeout"], &created["MemorySize"]), (&json!(3), &json!(128)));
    assert_eq!((&created["State"], &created["Version"]), (&json!("Active"), &json!("$LATEST")));
    assert!(created["LastModified"].as_str().is_some_and(|text| text.ends_with("+0000")));
    admin.call("lambda", "CreateFunction", creation()).await.refused("ResourceConflictException", 409);
    let change = json!({"FunctionName": ARN, "Timeout": 30, "Environment": {"Variables": {"TABLE": "t"}}});
    let changed = admin.call("lambda", "UpdateFunctionConfiguration", change).await.ok().json();
    assert_eq!(
        (&changed["Timeout"], &changed["Environment"]["Variables"]["TABLE"]),
        (&json!(30), &json!("t"))
    );
    assert_ne!(changed["RevisionId"], created["RevisionId"]);
    let stale = json!({"FunctionName": "notes", "ZipFile": zip("x"), "RevisionId": created["RevisionId"]});
    admin.call("lambda", "UpdateFunctionCode", stale).await.refused("PreconditionFailedException", 412);
    let code = json!({"FunctionName": "notes", "ZipFile": zip("x")});
    let updated = admin.call("lambda", "UpdateFunctionCode", code).await.ok().json();
    assert_ne!(updated["CodeSha256"], created["CodeSha256"]);
    let shown = admin.call("lambda", "GetFunction", json!({"FunctionName": "notes"})).await.ok().json();
    assert_eq!(shown["Configuration"]["CodeSha256"], updated["CodeSha256"]);
    let listed = admin.call("lambda", "ListFunctions", json!({})).await.ok().json();
    assert_eq!(listed["Functions"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        admin.call("lambda", "DeleteFunction", json!({"FunctionName": "notes"})).await.ok().status,
        204
    );
    let gone = admin.call("lambda", "GetFunction", json!({"FunctionName": "notes"})).await;
    assert_eq!(
        gone.refused("ResourceNotFoundException", 404).message(),
        format!("Function not found: {ARN}")
    );
}

#[tokio::test]
async fn lists_come_in_pages() {
    let (spawner, folder) = sandbox().await;
    let app = app(&spawner, &folder);
    for name in ["a", "b", "c"] {
        app.admin().call("lambda", "CreateFunction", with("FunctionName", json!(name))).await.ok();
    }
    let first = app.admin().call("lambda", "ListFunctions", json!({"MaxItems": 2})).await.ok().json();
    assert_eq!(first["Functions"].as_array().map(Vec::len), Some(2));
    let next = json!({"MaxItems": 2, "Marker": first["NextMarker"]});
    let second = app.admin().call("lambda", "ListFunctions", next).await.ok().json();
    assert_eq!(second["Functions"][0]["FunctionName"], "c");
    assert!(second.get("NextMarker").is_none());
    let elsewhere =
        app.admin().in_region("eu-west-1").call("lambda", "ListFunctions", json!({})).await.ok().json();
    assert_eq!(elsewhere["Functions"], json!([]));
    for forged in ["zz".to_owned(), hex_of("a"), hex_of("a:b"), hex_of(&format!("{}:0", "a".repeat(65)))] {
        let forged = json!({"Marker": forged});
        app.admin()
            .call("lambda", "ListFunctions", forged)
            .await
            .refused("InvalidParameterValueException", 400);
    }
}

fn hex_of(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// The ARNs behind the function's part, on each page of `ListFunctions`.
async fn listed(app: &TestApp, mut input: Value) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    loop {
        let page = app.admin().call("lambda", "ListFunctions", input.clone()).await.ok().json();
        let entries = page["Functions"].as_array().expect("a list");
        let named = |entry: &Value| {
            let arn = entry["FunctionArn"].as_str().expect("an ARN");
            let name = arn.strip_prefix("arn:aws:lambda:us-east-1:123456789012:function:").expect("ours");
            assert!(name.starts_with(entry["FunctionName"].as_str().expect("a name")));
            if let Some((_, version)) = name.split_once(':') {
                assert_eq!(version, entry["Version"]);
            }
            name.to_owned()
        };
        pages.push(entries.iter().map(named).collect());
        match page.get("NextMarker") {
            Some(marker) => input["Marker"] = marker.clone(),
            None => return pages,
        }
    }
}

#[tokio::test]
async fn published_versions_are_listed_where_all_are_asked_for() {
    let (spawner, folder) = sandbox().await;
    let app = app(&spawner, &folder);
    let call = async |operation: &str, input: Value| app.admin().call("lambda", operation, input).await.ok();
    for name in ["a", "b", "c"] {
        call("CreateFunction", with("FunctionName", json!(name))).await;
    }
    for (name, versions) in [("a", 2), ("c", 11)] {
        for n in 1..=versions {
            let change = json!({"FunctionName": name, "Description": n.to_string()});
            call("UpdateFunctionConfiguration", change).await;
            call("PublishVersion", json!({"FunctionName": name})).await;
        }
    }
    call("DeleteFunction", json!({"FunctionName": "a", "Qualifier": "1"})).await;
    assert_eq!(listed(&app, json!({})).await, [["a", "b", "c"]]);
    let mut all =
        vec!["a:$LATEST".to_owned(), "a:2".to_owned(), "b:$LATEST".to_owned(), "c:$LATEST".to_owned()];
    all.extend((1..=11).map(|number| format!("c:{number}")));
    for most in [1, 2, 3, 4, 7, 14, 15, 16] {
        let pages = listed(&app, json!({"FunctionVersion": "ALL", "MaxItems": most})).await;
        assert_eq!(pages.concat(), all);
        assert_eq!(pages.len(), all.len().div_ceil(most), "no page is empty, and all but the last are full");
    }
    for most in [1, 2, 11, 12, 13] {
        let mut input = json!({"FunctionName": "c", "MaxItems": most});
        let mut found = Vec::new();
        loop {
            let page = call("ListVersionsByFunction", input.clone()).await.json();
            let versions = page["Versions"].as_array().expect("a list");
            assert!(versions.len() == most || page.get("NextMarker").is_none(), "all but the last are full");
            found.extend(
                versions.iter().map(|entry| format!("c:{}", entry["Version"].as_str().unwrap_or_default())),
            );
            match page.get("NextMarker") {
                Some(marker) => input["Marker"] = marker.clone(),
                None => break,
            }
        }
        assert_eq!(found, all[3..]);
    }
    let other = json!({"FunctionVersion": "LATEST"});
    app.admin().call("lambda", "ListFunctions", other).await.refused("ValidationException", 400);
}

#[tokio::test]
async fn a_page_of_functions_has_50_entries_at_most_however_large_they_are() {
    let (spawner, folder) = sandbox().await;
    let app = app(&spawner, &folder);
    let call = async |operation: &str, input: Value| app.admin().call("lambda", operation, input).await.ok();
    // More than the store gives on one page, which is a MiB.
    for n in 0..51 {
        let name = format!("f{n:02}");
        let tags: serde_json::Map<String, Value> =
            (0..50).map(|tag| (format!("{tag:0>128}"), json!("v".repeat(256)))).collect();
        let mut input = with("FunctionName", json!(name));
        input["Tags"] = Value::Object(tags);
        input["Environment"] = json!({"Variables": {"LARGE": "x".repeat(3_000)}});
        call("CreateFunction", input).await;
    }
    for input in [json!({}), json!({"MaxItems": 10_000}), json!({"FunctionVersion": "ALL"})] {
        let pages = listed(&app, input).await;
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [50, 1]);
    }
}

#[tokio::test]
async fn a_role_must_be_passed_and_trust_lambda() {
    let (spawner, folder) = sandbox().await;
    let app = app(&spawner, &folder);
    let create =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"lambda:*","Resource":"*"}]}"#;
    let pass =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:PassRole","Resource":"*"}]}"#;
    app.user("BUILDER", &[create])
        .call("lambda", "CreateFunction", creation())
        .await
        .refused("AccessDeniedException", 403);
    for role in ["others", "absent"] {
        let input = with("Role", json!(format!("arn:aws:iam::123456789012:role/{role}")));
        let refused = app
            .admin()
            .call("lambda", "CreateFunction", input)
            .await
            .refused("InvalidParameterValueException", 400);
        assert_eq!(
            refused.message(),
            "The role defined for the function cannot be assumed by Lambda.",
            "{role}"
        );
    }
    app.user("PASSER", &[create, pass]).call("lambda", "CreateFunction", creation()).await.ok();
    let other = json!({"FunctionName": "notes", "Role": "arn:aws:iam::123456789012:role/others"});
    app.admin()
        .call("lambda", "UpdateFunctionConfiguration", other)
        .await
        .refused("InvalidParameterValueException", 400);
}

#[tokio::test]
async fn what_cannot_be_kept_is_refused() {
    let (spawner, folder) = sandbox().await;
    let app = app(&spawner, &folder);
    for (key, value) in [
        ("Code", json!({"ZipFile": STANDARD.encode("no zip")})),
        ("Code", json!({"S3Bucket": "bucket", "S3Key": "key"})),
        ("Code", json!({"ImageUri": "image"})),
        ("PackageType", json!("Image")),
        ("Runtime", json!("java21")),
        ("Runtime", json!("python3.12")),
        ("Layers", json!(["arn:aws:lambda:us-east-1:123456789012:layer:l:1"])),
        ("VpcConfig", json!({"SubnetIds": ["subnet-1"], "SecurityGroupIds": []})),
        ("Environment", json!({"Variables": {"AWS_REGION": "x"}})),
        ("LoggingConfig", json!({"LogFormat": "JSON"})),
        ("LoggingConfig", json!({"LogGroup": "/aws/lambda/other"})),
        ("LoggingConfig", json!({"ApplicationLogLevel": "DEBUG"})),
    ] {
        let refused = app.admin().call("lambda", "CreateFunction", with(key, value.clone())).await;
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (400, "InvalidParameterValueException"),
            "{key}: {value} {}",
            refused.text()
        );
    }
    let rows = app.rows().await;
    assert!(rows.is_empty(), "{} rows", rows.len());
    let usual = json!({"LogFormat": "Text", "LogGroup": "/aws/lambda/notes"});
    let made = app.admin().call("lambda", "CreateFunction", with("LoggingConfig", usual.clone())).await.ok();
    assert_eq!(made.json()["LoggingConfig"], usual);
    let change = json!({"FunctionName": "notes", "LoggingConfig": {"LogFormat": "JSON"}});
    let refused = app.admin().call("lambda", "UpdateFunctionConfiguration", change).await;
    refused.refused("InvalidParameterValueException", 400);
}

#[tokio::test]
async fn a_qualifier_changes_nothing_past_a_policy() {
    let (spawner, folder) = sandbox().await;
    let app = app(&spawner, &folder);
    app.admin().call("lambda", "CreateFunction", with("Publish", json!(true))).await.ok();
    let arn = "arn:aws:lambda:us-east-1:123456789012:function:notes";
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "lambda:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "lambda:*", "Resource": [arn, format!("{arn}:1")]},
    ]})
    .to_string();
    let denied = app.user("denied", &[&policy]);
    let change = |name: &str| json!({"FunctionName": name, "Description": "changed"});
    for name in ["notes:$LATEST", "notes:prod", &format!("{arn}:7")] {
        for caller in [&denied, &app.admin()] {
            let refused = caller.call("lambda", "UpdateFunctionConfiguration", change(name)).await;
            refused.refused("InvalidParameterValueException", 400);
        }
    }
    denied
        .call("lambda", "UpdateFunctionConfiguration", change("notes"))
        .await
        .refused("AccessDeniedException", 403);
    let version = |qualifier: &str| json!({"FunctionName": "notes", "Qualifier": qualifier});
    let other = denied.call("lambda", "GetFunctionConfiguration", version("01")).await;
    other.refused("ResourceNotFoundException", 404);
    denied
        .call("lambda", "GetFunctionConfiguration", version("1"))
        .await
        .refused("AccessDeniedException", 403);
    app.admin().call("lambda", "GetFunctionConfiguration", version("1")).await.ok();
    app.admin().call("lambda", "UpdateFunctionConfiguration", change("notes")).await.ok();
}

#[tokio::test]
async fn permissions_make_the_resource_policy() {
    let (spawner, folder) = sandbox().await;
    let app = app(&spawner, &folder);
    let admin = app.admin();
    admin.call("lambda", "CreateFunction", creation()).await.ok();
    let add = |id: &str, principal: &str| {
        json!({
            "FunctionName": "notes", "StatementId": id, "Action": "lambda:InvokeFunction", "Principal": principal,
            "SourceArn": "arn:aws:execute-api:us-east-1:123456789012:a/*", "SourceAccount": "123456789012",
        })
    };
    admin
        .call("lambda", "GetPolicy", json!({"FunctionName": "notes"}))
        .await
        .refused("ResourceNotFoundException", 404);
    let added = admin.call("lambda", "AddPermission", add("one", "apigateway.amazonaws.com")).await.ok();
    assert_eq!(added.status, 201);
    let statement: Value =
        serde_json::from_str(added.json()["Statement"].as_str().expect("text")).expect("JSON");
    assert_eq!(
        statement["Condition"]["ArnLike"]["AWS:SourceArn"],
        "arn:aws:execute-api:us-east-1:123456789012:a/*"
    );
    admin
        .call("lambda", "AddPermission", add("one", "s3.amazonaws.com"))
        .await
        .refused("ResourceConflictException", 409);
    let policy = admin.call("lambda", "GetPolicy", json!({"FunctionName": "notes"})).await.ok().json();
    let policy: Value = serde_json::from_str(policy["Policy"].as_str().expect("text")).expect("JSON");
    assert_eq!(policy["Statement"][0]["Resource"], ARN);
    let remove = json!({"FunctionName": "notes", "StatementId": "one"});
    admin.call("lambda", "RemovePermission", remove.clone()).await.ok();
    admin.call("lambda", "RemovePermission", remove).await.refused("ResourceNotFoundException", 404);

    let dry = json!({"FunctionName": "notes", "InvocationType": "DryRun"});
    app.stranger().call("lambda", "Invoke", dry.clone()).await.refused("AccessDeniedException", 403);
    let everybody = json!({
        "FunctionName": "notes", "StatementId": "user", "Action": "lambda:InvokeFunction",
        "Principal": "arn:aws:iam::123456789012:user/teststranger0000",
    });
    admin.call("lambda", "AddPermission", everybody).await.ok();
    assert_eq!(app.stranger().call("lambda", "Invoke", dry).await.ok().status, 204);
    let other = json!({"FunctionName": "notes"});
    app.stranger().call("lambda", "GetFunction", other).await.refused("AccessDeniedException", 403);
}

#[tokio::test]
async fn a_permission_is_its_principals_and_not_whoever_has_the_name_next() {
    let (spawner, folder) = sandbox().await;
    let app = app_beside_iam(&spawner, &folder);
    let admin = app.admin();
    admin.call("lambda", "CreateFunction", creation()).await.ok();
    let add = async |id: &str, principal: &str| {
        let input = json!({"FunctionName": "notes", "StatementId": id, "Action": "lambda:InvokeFunction",
            "Principal": principal});
        admin.call("lambda", "AddPermission", input).await
    };
    let shown = async |statement: usize| {
        let policy = admin.call("lambda", "GetPolicy", json!({"FunctionName": "notes"})).await.ok().json();
        let policy: Value = serde_json::from_str(policy["Policy"].as_str().expect("text")).expect("JSON");
        policy["Statement"][statement]["Principal"]["AWS"].as_str().expect("a principal").to_owned()
    };
    let dry = json!({"FunctionName": "notes", "InvocationType": "DryRun"});
    let reader = "arn:aws:iam::123456789012:user/reader";
    for unknown in [reader, "arn:aws:iam::123456789012:role/nobody", "AIDA0NOSUCHUSER000000", "reader"] {
        let refused = add("unknown", unknown).await.refused("InvalidParameterValueException", 400);
        let told = "The provided principal was invalid. Please check the principal and try again.";
        assert_eq!(refused.message(), told, "{unknown}");
    }

    let (id, key, user) = make_reader(&app).await;
    user.call("lambda", "Invoke", dry.clone()).await.refused("AccessDeniedException", 403);
    add("first", reader).await.ok();
    assert_eq!(user.call("lambda", "Invoke", dry.clone()).await.ok().status, 204);
    assert_eq!(shown(0).await, reader);

    admin.call("iam", "DeleteAccessKey", json!({"UserName": "reader", "AccessKeyId": key})).await.ok();
    admin.call("iam", "DeleteUser", json!({"UserName": "reader"})).await.ok();
    let (_, _, user) = make_reader(&app).await;
    user.call("lambda", "Invoke", dry.clone()).await.refused("AccessDeniedException", 403);
    assert_eq!(shown(0).await, id);

    add("second", reader).await.ok();
    assert_eq!(user.call("lambda", "Invoke", dry).await.ok().status, 204);
    assert_eq!((shown(0).await, shown(1).await), (id, reader.to_owned()));
}

/// A user of IAM's own without any right: its id, its key's and itself.
async fn make_reader(app: &TestApp) -> (String, String, TestCaller) {
    let input = json!({"UserName": "reader"});
    let made = app.admin().call("iam", "CreateUser", input.clone()).await.ok();
    let key = app.admin().call("iam", "CreateAccessKey", input).await.ok();
    let told = |name: &str| key.element(name).expect("a key");
    let user = app.keys(&told("AccessKeyId"), &told("SecretAccessKey"), None);
    (made.element("UserId").expect("an id"), told("AccessKeyId"), user)
}

#[tokio::test]
async fn events_are_bounded_and_must_be_json() {
    let (spawner, folder) = sandbox().await;
    let app = app(&spawner, &folder);
    app.admin().call("lambda", "CreateFunction", creation()).await.ok();
    let ask = async |payload: &[u8], kind: &str| {
        let input =
            json!({"FunctionName": "notes", "InvocationType": kind, "Payload": STANDARD.encode(payload)});
        app.admin().call("lambda", "Invoke", input).await
    };
    ask(b"{not json", "RequestResponse").await.refused("InvalidRequestContentException", 400);
    ask(&[b' '; 262_145], "Event").await.refused("RequestTooLargeException", 413);
    ask(&vec![b' '; 6_291_457], "RequestResponse").await.refused("RequestTooLargeException", 413);
    ask(b"{}", "DryRun").await.ok();
    // A machine that can't confine functions says so.
    let refused = ask(b"{}", "RequestResponse").await;
    assert_eq!(refused.status, 500, "{}", refused.text());
}

#[tokio::test]
async fn the_sweep_takes_the_packages_that_nothing_names_and_no_others() {
    let (spawner, folder) = sandbox().await;
    let disk = folder.join("blobs");
    let blobs = Blobs::folder(&disk, "lambda").expect("a folder");
    let (app, lambda) = app_on(blobs.clone(), &spawner, &folder);
    let packages = || files(&disk.join("lambda")).len();
    let call = async |operation: &str, input: Value| app.admin().call("lambda", operation, input).await.ok();
    call("CreateFunction", with("Publish", json!(true))).await;
    call("UpdateFunctionCode", json!({"FunctionName": "notes", "ZipFile": zip("#!/bin/bash")})).await;
    // What a crash between a package and its record leaves; and what is of another owner.
    blobs.put(&SeededRandomness::new(9), Bytes::from_static(b"orphan")).await.expect("a blob");
    blobs.of("s3").put(&SeededRandomness::new(9), Bytes::from_static(b"an object")).await.expect("a blob");
    assert_eq!(packages(), 3);

    let written = std::fs::metadata(&files(&disk)[0]).and_then(|file| file.modified()).expect("a time");
    let written = written.duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs();
    let written = Timestamp::from_seconds(i64::try_from(written).expect("a time"));
    let (young, old) =
        (written.plus_seconds(SWEEP_AGE_SECONDS - 60), written.plus_seconds(SWEEP_AGE_SECONDS + 60));
    assert_eq!(lambda.sweep(young).await.expect("a sweep"), 0, "its record may still come");
    assert_eq!(lambda.sweep(old).await.expect("a sweep"), 1, "the orphan");
    assert_eq!(packages(), 2, "of $LATEST and of version 1");

    call("DeleteFunction", json!({"FunctionName": "notes", "Qualifier": "1"})).await;
    assert_eq!(packages(), 2);
    assert_eq!(lambda.sweep(old).await.expect("a sweep"), 1, "version 1's");
    assert_eq!(lambda.sweep(old).await.expect("a sweep"), 0);
    call("GetFunction", json!({"FunctionName": "notes"})).await;
    assert_eq!((packages(), files(&disk).len()), (1, 2), "of $LATEST, and the object");
    call("DeleteFunction", json!({"FunctionName": "notes"})).await;
    assert_eq!(packages(), 0, "at once, where nothing else can run from it");
}

const INVOKE: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"lambda:InvokeFunction","Resource":"*"}]}"#;

/// The queue's rows.
async fn queued(app: &TestApp) -> Vec<Vec<u8>> {
    let queue = Key::of("lambda.event");
    let rows = app.rows().await.into_iter().filter(|(key, _)| key.starts_with(queue.as_bytes()));
    rows.map(|(_, value)| value).collect()
}

/// Waits until so many events are queued.
async fn queued_are(app: &TestApp, many: usize) -> Vec<Vec<u8>> {
    for _ in 0..200 {
        let rows = queued(app).await;
        if rows.len() == many {
            return rows;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{many} events were expected, and {} are queued", queued(app).await.len());
}

fn event(n: u8) -> Value {
    let payload = STANDARD.encode(json!({"n": n}).to_string());
    json!({"FunctionName": "notes", "InvocationType": "Event", "Payload": payload})
}

#[tokio::test]
async fn an_event_stays_queued_only_while_whoever_queued_it_may_invoke() {
    let (spawner, folder) = sandbox().await;
    let (app, lambda) = app_on(Blobs::in_memory("lambda"), &spawner, &folder);
    app.admin().call("lambda", "CreateFunction", creation()).await.ok();
    for (n, name) in [(1, "KEEPS"), (2, "LOSES")] {
        app.user(name, &[INVOKE]).call("lambda", "Invoke", event(n)).await.ok();
    }
    // As the first form of the record had it: without whoever queued it.
    let old = json!({
        "due": app.parts.clock.now(), "request_id": "old", "account": "123456789012", "region": "us-east-1",
        "name": "notes", "qualifier": null, "payload": STANDARD.encode("{}"), "trace_id": null,
        "client_context": null, "depth": 0, "queued": app.parts.clock.now(), "failures": 0,
    });
    let key = Key::of("lambda.event").i64(app.parts.clock.now().millis()).str("old");
    let row = [&[0, 1], old.to_string().as_bytes()].concat();
    let put = app.parts.store.write(|tx| {
        let (key, row) = (key.clone(), row.clone());
        async move { tx.put(&key, Bytes::from(row)) }
    });
    put.await.expect("a row");
    assert_eq!(queued(&app).await.len(), 3);
    app.iam.put_user("AKIALOSES00000000000", &[]);
    lambda.start();
    // This machine runs nothing, so the event that may run waits.
    let left = queued_are(&app, 1).await;
    let left: Value = serde_json::from_slice(&left[0][2..]).expect("JSON");
    assert_eq!(left["payload"], STANDARD.encode(r#"{"n":1}"#));
    // Anew each time: not only the first.
    app.iam.put_user("AKIAKEEPS00000000000", &[]);
    app.clock.advance_seconds(1_000);
    queued_are(&app, 0).await;
}

/// Decides about an event as the pipeline does, lets `meanwhile` happen, and queues it then.
async fn queue_after(app: &TestApp, meanwhile: impl AsyncFnOnce()) -> (Result<(), Fault>, bool) {
    let parts = &app.parts;
    let scope = Scope { account: parts.installation.account, region: Region::default_region() };
    let identify = parts.needs.identify_users.get().expect("users");
    let Ok(known) = identify.identify("AKIAASKS000000000000", None).await else { panic!("a user") };
    let source = Source { ip: [127, 0, 0, 1].into(), user_agent: String::new(), secure: false };
    let caller = Arc::new(Caller { principal: known.principal, access_key_id: None, source });
    let path = "/2015-03-31/functions/notes/invocations";
    let request = http::Request::post(path).header("x-amz-invocation-type", "Event").body(()).expect("built");
    let model = homeport_wire::Models::service("lambda").expect("lambda's model");
    let call = Call {
        operation: model.operation("Invoke").expect("Invoke"),
        head: Arc::new(request.into_parts().0),
        path: path.to_owned(),
        virtual_bucket: None,
        body: CallBody::Whole(Bytes::from_static(b"{}")),
        caller: caller.clone(),
    };
    let prepared =
        app.services()[0].prepare("Invoke", Incoming::Call(Box::new(call))).map_err(|_| ()).expect("decoded");
    let now = parts.clock.now();
    let Permissions::All(permissions) =
        prepared.permissions(&AskedOn { caller: &caller, scope: &scope, now })
    else {
        panic!("what it needs is known before")
    };
    let authorizer = Authorizer::new(parts.needs.clone(), parts.epoch.clone(), scope.account);
    let decided = authorizer.decide(&parts.store, &caller, &scope, now, &permissions).await;
    let epoch = decided.expect("a decision").expect("allowed before");
    meanwhile().await;
    Decided { caller, scope, permissions, lookup: None, epoch }.run(app, prepared).await
}

#[tokio::test]
async fn a_right_or_a_function_that_went_since_the_decision_queues_nothing() {
    let (spawner, folder) = sandbox().await;
    let app = app(&spawner, &folder);
    app.admin().call("lambda", "CreateFunction", creation()).await.ok();
    app.user("ASKS", &[INVOKE]);
    let policies_are = async |policies: &[&str]| {
        app.iam.put_user("AKIAASKS000000000000", policies);
        let moved = app.parts.store.write(|tx| async move { bump_authorization(&tx) }).await;
        moved.map_err(|error: StoreError| error.to_string()).expect("the epoch moves");
    };
    let (done, refused) = queue_after(&app, async || policies_are(&[]).await).await;
    assert!(done.is_err() && refused);
    policies_are(&[INVOKE]).await;
    let delete = json!({"FunctionName": "notes"});
    let (done, refused) = queue_after(&app, async || {
        app.admin().call("lambda", "DeleteFunction", delete).await.ok();
    })
    .await;
    assert!(done.is_err() && !refused, "nobody took the right, and nothing is there to invoke");
    assert_eq!(queued(&app).await.len(), 0);
    app.admin().call("lambda", "CreateFunction", creation()).await.ok();
    // The epoch moves, and the right is still there.
    let (done, refused) = queue_after(&app, async || policies_are(&[INVOKE]).await).await;
    assert!(done.is_ok() && !refused);
    assert_eq!(queued(&app).await.len(), 1);
}
