use homeport_testkit::{TestApp, TestCaller};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::app::{app_with_buckets, call, done, get, hash_table, put, refusal};
use super::transfers::{
    ACCOUNT, allowing, arn, bucket, described_export, described_import, export, gzip, import, importing,
    items, keys, put_object, recoverable,
};

fn note(name: &str, value: &str) -> Value {
    json!({"p": {"S": name}, "v": {"S": value}})
}

fn line(item: &Value) -> String {
    json!({"Item": item}).to_string() + "\n"
}

/// The counts of an import: processed, imported, errors.
fn counts(import: &Value) -> [i64; 3] {
    ["ProcessedItemCount", "ImportedItemCount", "ErrorCount"].map(|name| import[name].as_i64().unwrap())
}

/// What an import wrote into its log of errors.
async fn errors(caller: &TestCaller, import: &Value) -> Vec<Value> {
    let id = import["ImportArn"].as_str().unwrap().rsplit('/').next().unwrap();
    let asked = json!({"logGroupName": "/aws-dynamodb/imports", "logStreamName": format!("{id}/error")});
    let logged = caller.call("logs", "GetLogEvents", asked).await;
    if logged.status != 200 {
        return Vec::new();
    }
    let message = |event: &Value| serde_json::from_str(event["message"].as_str().unwrap()).unwrap();
    logged.json()["events"].as_array().unwrap().iter().map(message).collect()
}

fn with_indexes(name: &str) -> Value {
    let mut table = hash_table(name);
    table["AttributeDefinitions"] = json!([
        {"AttributeName": "p", "AttributeType": "S"}, {"AttributeName": "n", "AttributeType": "N"},
        {"AttributeName": "b", "AttributeType": "B"}]);
    let index = |name: &str, key: &str| {
        json!({"IndexName": name, "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"}})
    };
    table["GlobalSecondaryIndexes"] = json!([index("by-n", "n"), index("by-b", "b")]);
    table
}

#[tokio::test]
async fn an_import_fills_a_new_table_and_its_indexes() {
    let (app, service) = app_with_buckets();
    let admin = app.admin();
    bucket(&admin, "bucket").await;
    let all: Vec<Value> = (0..250)
        .map(|number| json!({"p": {"S": format!("{number:03}")}, "n": {"N": format!("{}", number % 7)}, "v": {"BOOL": true}}))
        .collect();
    let lines: Vec<String> = all.iter().map(line).collect();
    put_object(&admin, "/bucket/in/1.json", lines[..120].concat().as_bytes()).await;
    put_object(&admin, "/bucket/in/2.json", format!("\n   \n{}", lines[120..].concat()).as_bytes()).await;
    put_object(&admin, "/bucket/in/empty.json", b"").await;
    put_object(&admin, "/bucket/other/3.json", b"no item").await;
    let asked = importing("DYNAMODB_JSON", "in/", json!({"TableCreationParameters": with_indexes("copy")}));
    let begun = import(&admin, asked.clone()).await;
    assert_eq!((&begun["ImportStatus"], counts(&begun)), (&json!("IN_PROGRESS"), [0, 0, 0]));
    for absent in ["EndTime", "ProcessedSizeBytes", "FailureCode", "FailureMessage"] {
        assert!(begun[absent].is_null(), "{absent}");
    }
    let described = done(&admin, "DescribeTable", json!({"TableName": "copy"})).await;
    assert_eq!(described["Table"]["TableStatus"], "CREATING");
    for (operation, asked, code) in [
        ("Scan", json!({"TableName": "copy"}), "ResourceNotFoundException"),
        ("DeleteTable", json!({"TableName": "copy"}), "ResourceInUseException"),
        ("PutItem", json!({"TableName": "copy", "Item": note("a", "b")}), "ResourceNotFoundException"),
    ] {
        assert_eq!(refusal(&admin, operation, asked).await.0, code, "{operation}");
    }
    service.do_transfers().await.unwrap();
    let ended = described_import(&admin, &begun).await;
    assert_eq!((&ended["ImportStatus"], counts(&ended)), (&json!("COMPLETED"), [250, 250, 0]));
    let size = lines.concat().len() + "\n   \n".len();
    assert_eq!(ended["ProcessedSizeBytes"], json!(size));
    assert_eq!(ended["InputCompressionType"], "NONE");
    assert_eq!(ended["TableCreationParameters"], with_indexes("copy"));
    assert_eq!(
        ended["CloudWatchLogGroupArn"],
        format!("arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/aws-dynamodb/imports:*")
    );
    let groups = admin.call("logs", "DescribeLogGroups", json!({})).await.ok().json();
    assert_eq!(groups["logGroups"][0]["arn"], ended["CloudWatchLogGroupArn"], "the group is there");
    assert_eq!(items(&admin, "copy").await, all);
    let described = done(&admin, "DescribeTable", json!({"TableName": "copy"})).await["Table"].clone();
    assert_eq!((&described["TableStatus"], &described["ItemCount"]), (&json!("ACTIVE"), &json!(250)));
    assert_eq!(described["TableId"], begun["TableId"]);
    let of_index = json!({"TableName": "copy", "IndexName": "by-n", "Select": "COUNT",
        "KeyConditionExpression": "n = :n", "ExpressionAttributeValues": {":n": {"N": "3"}}});
    assert_eq!(done(&admin, "Query", of_index).await["Count"], 36);
    // With the token alone it isn't begun again once its table is there.
    let again = refusal(&admin, "ImportTable", asked).await;
    assert_eq!(again, ("ResourceInUseException".into(), "Table already exists: copy".into()));
}

#[tokio::test]
async fn what_is_no_item_fails_the_import_and_the_others_are_in_the_table() {
    let (app, service) = app_with_buckets();
    let admin = app.admin();
    bucket(&admin, "bucket").await;
    let good = [line(&note("1", "kept")), line(&note("2", "kept"))];
    put_object(&admin, "/bucket/in/0", good.concat().as_bytes()).await;
    let bad = [
        ("{\"NotAnItem\": {}}", "Expected 'Item' top level container", true),
        ("{\"Item\": ", "Unexpected token", true),
        (
            "{\"Item\": {\"v\": {\"S\": \"x\"}}}",
            "One or more parameter values were invalid: Missing the key p in the item",
            false,
        ),
        (
            "{\"Item\": {\"p\": {\"N\": \"1\"}}}",
            "One or more parameter values were invalid: Type mismatch for key p expected: S actual: N",
            false,
        ),
        ("{\"Item\": {\"p\": {\"S\": \"x\"}, \"\": {\"S\": \"v\"}}}", "Empty attribute name", false),
        ("{\"Item\": {\"p\": {\"S\": \"\"}}}", "cannot contain an empty string value. Key: p", false),
    ];
    for (number, (text, _, _)) in bad.iter().enumerate() {
        // What follows in the object is read only where the line was an item.
        let body = format!("{text}\n{}", line(&note(&format!("after-{number}"), "x")));
        put_object(&admin, &format!("/bucket/in/{}", number + 1), body.as_bytes()).await;
    }
    let begun = import(&admin, importing("DYNAMODB_JSON", "in/", json!({}))).await;
    service.do_transfers().await.unwrap();
    let ended = described_import(&admin, &begun).await;
    assert_eq!(
        (&ended["ImportStatus"], &ended["FailureCode"]),
        (&json!("FAILED"), &json!("ItemValidationError"))
    );
    assert_eq!(
        ended["FailureMessage"],
        "Some of the items failed validation checks. Please check CloudWatch error logs for more details."
    );
    assert_eq!(counts(&ended), [2 + 6 + 4, 2 + 4, 6]);
    let found: Vec<Value> = items(&admin, "copy").await.iter().map(|item| item["p"]["S"].clone()).collect();
    assert_eq!(found, ["1", "2", "after-2", "after-3", "after-4", "after-5"]);
    let logged = errors(&admin, &begun).await;
    assert_eq!(logged.len(), bad.len());
    for ((_, said, _), logged) in bad.iter().zip(&logged) {
        assert!(logged["errorMessages"][0].as_str().unwrap().contains(said), "{logged}");
        assert_eq!(logged["importArn"], begun["ImportArn"]);
    }
    assert_eq!(logged[0]["itemS3Pointer"], json!({"bucket": "bucket", "key": "in/1", "itemIndex": 0}));
}

#[tokio::test]
async fn csv_is_read_by_its_header_with_typed_keys() {
    let (app, service) = app_with_buckets();
    let admin = app.admin();
    bucket(&admin, "bucket").await;
    let text = "p,n,b,title\r\n1,10,aGk=,\"say \"\"hi\"\",\nthere\"\r\n2,x,aGk=,bad number\n3,4,%,bad binary\n4,5,aGk=\n5,6,,\n6,7,aGk=,plain\n7,8,aGk=,a\"b\n8,9,aGk=,not read\n";
    put_object(&admin, "/bucket/in/1.csv", text.as_bytes()).await;
    let asked = importing("CSV", "in/", json!({"TableCreationParameters": with_indexes("copy")}));
    let begun = import(&admin, asked).await;
    service.do_transfers().await.unwrap();
    let ended = described_import(&admin, &begun).await;
    assert_eq!((&ended["FailureCode"], counts(&ended)), (&json!("ItemValidationError"), [7, 2, 5]));
    let expected = [
        json!({"p": {"S": "1"}, "n": {"N": "10"}, "b": {"B": "aGk="}, "title": {"S": "say \"hi\",\nthere"}}),
        json!({"p": {"S": "6"}, "n": {"N": "7"}, "b": {"B": "aGk="}, "title": {"S": "plain"}}),
    ];
    assert_eq!(items(&admin, "copy").await, expected);
    let logged = errors(&admin, &begun).await;
    let said: Vec<&str> = logged.iter().map(|logged| logged["errorMessages"][0].as_str().unwrap()).collect();
    for (said, expected) in said.iter().zip([
        "The parameter cannot be converted to a numeric value: x",
        "The value of the binary key b is not valid Base64",
        "Number of values (3) does not match number of columns (4)",
        "IndexName: by-b, IndexKey: b",
        "Double quotes in a CSV value must be escaped",
    ]) {
        assert!(said.contains(expected), "{said}");
    }
    assert_eq!(said.len(), 5);
    // With other columns, another delimiter, compressed.
    put_object(&admin, "/bucket/gz/1.csv.gz", &gzip("a;1\nb;2\n")).await;
    let options = json!({"Csv": {"Delimiter": ";", "HeaderList": ["p", "v"]}});
    let asked = importing(
        "CSV",
        "gz/",
        json!({
        "ClientToken": "other", "InputFormatOptions": options, "InputCompressionType": "GZIP",
        "TableCreationParameters": hash_table("second")}),
    );
    let begun = import(&admin, asked).await;
    service.do_transfers().await.unwrap();
    let ended = described_import(&admin, &begun).await;
    assert_eq!((&ended["ImportStatus"], &ended["InputFormatOptions"]), (&json!("COMPLETED"), &options));
    assert_eq!(ended["ProcessedSizeBytes"], json!("a;1\nb;2\n".len()), "before it was compressed");
    assert_eq!(items(&admin, "second").await, [note("a", "1"), note("b", "2")]);
}

#[tokio::test]
async fn what_the_bucket_refuses_fails_the_import_and_leaves_no_table() {
    let (app, service) = app_with_buckets();
    let admin = app.admin();
    bucket(&admin, "bucket").await;
    put_object(&admin, "/bucket/in/1", line(&note("a", "x")).as_bytes()).await;
    let source = |bucket: &str| json!({"S3Bucket": bucket, "S3KeyPrefix": "in/"});
    let foreign = json!({"S3Bucket": "bucket", "S3BucketOwner": "000000000001"});
    let lists = app.user("lists", &[&allowing(&["dynamodb:*", "s3:ListBucket"])]);
    let reads = app.user("reads", &[&allowing(&["dynamodb:*", "s3:GetObject"])]);
    let both = app.user("both", &[&allowing(&["dynamodb:*", "s3:GetObject", "s3:ListBucket"])]);
    for (caller, source, code, said) in [
        (&admin, source("missing"), "S3NoSuchBucket", "The specified bucket does not exist"),
        (&admin, foreign, "S3AccessDenied", "Access Denied"),
        (&lists, source("bucket"), "S3AccessDenied", "s3:GetObject"),
        (&reads, source("bucket"), "S3AccessDenied", "s3:ListBucket"),
    ] {
        let token = format!("{source}{}", said.len()).replace('$', "");
        let asked = importing("DYNAMODB_JSON", "", json!({"S3BucketSource": source, "ClientToken": token}));
        let begun = import(caller, asked.clone()).await;
        service.do_transfers().await.unwrap();
        let ended = described_import(&admin, &begun).await;
        assert_eq!(
            (&ended["ImportStatus"], &ended["FailureCode"]),
            (&json!("FAILED"), &json!(code)),
            "{ended}"
        );
        assert!(ended["FailureMessage"].as_str().unwrap().contains(said), "{ended}");
        assert_eq!(counts(&ended), [0, 0, 0]);
        let gone = refusal(&admin, "DescribeTable", json!({"TableName": "copy"})).await;
        assert_eq!(gone.0, "ResourceNotFoundException");
        // The same token is told of the same import.
        assert_eq!(import(caller, asked).await["ImportArn"], begun["ImportArn"]);
    }
    let begun = import(&both, importing("DYNAMODB_JSON", "in/", json!({}))).await;
    service.do_transfers().await.unwrap();
    assert_eq!(described_import(&admin, &begun).await["ImportStatus"], "COMPLETED");
    service.do_jobs().await.unwrap();
    assert_eq!(items(&admin, "copy").await, [note("a", "x")]);
    // A prefix of nothing is an empty table.
    let nothing = importing(
        "ION",
        "nowhere/",
        json!({"ClientToken": "n", "TableCreationParameters": hash_table("empty")}),
    );
    let begun = import(&admin, nothing).await;
    service.do_transfers().await.unwrap();
    let ended = described_import(&admin, &begun).await;
    assert_eq!((&ended["ImportStatus"], &ended["ProcessedSizeBytes"]), (&json!("COMPLETED"), &Value::Null));
    assert!(items(&admin, "empty").await.is_empty());
}

#[tokio::test]
async fn a_token_stands_for_one_import_and_imports_are_listed() {
    let (app, service) = app_with_buckets();
    let admin = app.admin();
    bucket(&admin, "bucket").await;
    let asked = importing("DYNAMODB_JSON", "in/", json!({}));
    let begun = import(&admin, asked.clone()).await;
    let other = importing("CSV", "elsewhere/", json!({}));
    assert_eq!(import(&admin, other).await["ImportArn"], begun["ImportArn"], "as on AWS");
    let conflict =
        importing("DYNAMODB_JSON", "in/", json!({"TableCreationParameters": hash_table("second")}));
    let refused = refusal(&admin, "ImportTable", conflict).await;
    let said = "Duplicate request detected with conflicting parameters";
    assert_eq!(refused, ("ImportConflictException".into(), said.into()));
    let again = importing("DYNAMODB_JSON", "in/", json!({"ClientToken": "another"}));
    assert_eq!(refusal(&admin, "ImportTable", again).await.0, "ResourceInUseException");
    let listed = done(&admin, "ListImports", json!({})).await["ImportSummaryList"].clone();
    assert_eq!(
        (&listed[0]["ImportArn"], &listed[0]["ImportStatus"]),
        (&begun["ImportArn"], &json!("IN_PROGRESS"))
    );
    service.do_transfers().await.unwrap();
    for name in ["second", "third"] {
        app.clock.advance_seconds(1);
        let asked = importing(
            "DYNAMODB_JSON",
            "in/",
            json!({"ClientToken": name, "TableCreationParameters": hash_table(name)}),
        );
        import(&admin, asked).await;
    }
    service.do_transfers().await.unwrap();
    let (mut found, mut token) = (Vec::new(), Value::Null);
    loop {
        let page = done(&admin, "ListImports", json!({"PageSize": 1, "NextToken": token})).await;
        found.extend(page["ImportSummaryList"].as_array().unwrap().iter().map(|it| it["TableArn"].clone()));
        token = page["NextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    found.sort_by_key(Value::to_string);
    assert_eq!(found, [arn("copy"), arn("second"), arn("third")]);
    let of_one =
        done(&admin, "ListImports", json!({"TableArn": arn("second")})).await["ImportSummaryList"].clone();
    assert_eq!((of_one.as_array().unwrap().len(), &of_one[0]["InputFormat"]), (1, &json!("DYNAMODB_JSON")));
    assert_eq!(
        refusal(&admin, "ListImports", json!({"NextToken": "0".repeat(112)})).await.0,
        "ValidationException"
    );
    app.clock.advance_seconds(90 * 24 * 3_600 + 1);
    service.tidy().await.unwrap();
    assert_eq!(done(&admin, "ListImports", json!({})).await, json!({"ImportSummaryList": []}));
    let gone = refusal(&admin, "DescribeImport", json!({"ImportArn": begun["ImportArn"]})).await;
    assert_eq!(gone, ("ImportNotFoundException".into(), "The specified import was not found.".into()));
}

#[tokio::test]
async fn what_cannot_be_imported_is_refused() {
    let (app, _) = app_with_buckets();
    let admin = app.admin();
    done(&admin, "CreateTable", hash_table("notes")).await;
    let mut encrypted = hash_table("copy");
    encrypted["SSESpecification"] = json!({"Enabled": true});
    let mut undefined = hash_table("copy");
    undefined["AttributeDefinitions"] = json!([{"AttributeName": "q", "AttributeType": "S"}]);
    let csv = |options: Value| json!({"InputFormat": "CSV", "InputFormatOptions": {"Csv": options}});
    for (further, code, said) in [
        (
            json!({"TableCreationParameters": hash_table("notes")}),
            "ResourceInUseException",
            "Table already exists: notes",
        ),
        (json!({"InputFormat": "XML"}), "ValidationException", "inputFormat"),
        (json!({"InputCompressionType": "BZIP2"}), "ValidationException", "inputCompressionType"),
        (json!({"S3BucketSource": {"S3Bucket": "-nope!"}}), "ValidationException", "s3Bucket"),
        (
            json!({"S3BucketSource": {"S3Bucket": "bucket", "S3KeyPrefix": "p".repeat(1_025)}}),
            "ValidationException",
            "s3KeyPrefix",
        ),
        (
            json!({"InputFormatOptions": {"Csv": {"Delimiter": ","}}}),
            "ValidationException",
            "InputFormatOptions can only",
        ),
        (csv(json!({"Delimiter": "x"})), "ValidationException", "elimiter"),
        (csv(json!({"HeaderList": ["a", "a"]})), "ValidationException", "HeaderList"),
        (json!({"TableCreationParameters": hash_table("not a name")}), "ValidationException", "ableName"),
        (json!({"TableCreationParameters": undefined}), "ValidationException", ""),
        (json!({"TableCreationParameters": encrypted}), "ValidationException", "SSESpecification"),
        (json!({"ClientToken": "has$dollar"}), "ValidationException", "clientToken"),
        (json!({"ClientToken": null}), "ValidationException", "clientToken"),
    ] {
        let refused = refusal(&admin, "ImportTable", importing("DYNAMODB_JSON", "", further.clone())).await;
        assert_eq!(refused.0, code, "{further}: {}", refused.1);
        assert!(refused.1.contains(said), "{further}: {}", refused.1);
    }
    let invalid = format!("{}/import/01658528578619-c4d4e311", arn("x"));
    let refused = refusal(&admin, "DescribeImport", json!({"ImportArn": invalid})).await;
    assert_eq!(refused, ("ValidationException".into(), "Invalid Import ARN".into()));
    let reader = app.user("reader", &[&allowing(&["dynamodb:CreateTable", "dynamodb:List*", "s3:*"])]);
    call(&reader, "ImportTable", importing("CSV", "", json!({}))).await.refused("AccessDeniedException", 400);
    let statement =
        json!({"Effect": "Allow", "Action": "dynamodb:ImportTable", "Resource": format!("{}*", arn("copy"))});
    let one = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
    let importer = app.user("importer", &[&one]);
    import(&importer, importing("CSV", "", json!({}))).await;
    let elsewhere = importing("CSV", "", json!({"TableCreationParameters": hash_table("other")}));
    call(&importer, "ImportTable", elsewhere).await.refused("AccessDeniedException", 400);
}

fn value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![any::<String>(), "[a-c\\x00-\\x20\"']{0,5}"];
    let scalar = prop_oneof![
        text.clone().prop_map(|text| json!({"S": text})),
        any::<i64>().prop_map(|number| json!({"N": number.to_string()})),
        "-?[1-9][0-9]{0,30}\\.[0-9]{0,5}[1-9]E-?[1-8][0-9]".prop_map(|number| json!({"N": number})),
        "([A-Za-z0-9+/]{4}){0,4}".prop_map(|bytes| json!({"B": bytes})),
        any::<bool>().prop_map(|truth| json!({"BOOL": truth})),
        Just(json!({"NULL": true})),
        prop::collection::btree_set("[a-z]{0,3}", 1..4).prop_map(|set| json!({"SS": set})),
        prop::collection::btree_set(-99_i32..99, 1..4)
            .prop_map(|set| json!({"NS": set.iter().map(i32::to_string).collect::<Vec<_>>()})),
    ];
    scalar.prop_recursive(3, 12, 3, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(|list| json!({"L": list})),
            prop::collection::btree_map("[a-z.$' ]{1,4}", inner, 0..3).prop_map(|map| json!({"M": map})),
        ]
    })
}

/// Exports `notes`, imports that into `copy`, and gives the items of both.
async fn there_and_back(given: &[Value], format: &str) -> (Vec<Value>, Vec<Value>) {
    let (app, service) = app_with_buckets();
    let admin = app.admin();
    bucket(&admin, "bucket").await;
    recoverable(&admin, "notes").await;
    for item in given {
        put(&admin, "notes", item.clone()).await;
    }
    let begun = export(&admin, json!({"ExportFormat": format})).await;
    service.do_transfers().await.unwrap();
    let ended = described_export(&admin, &begun).await;
    assert_eq!(ended["ExportStatus"], "COMPLETED", "{ended}");
    let data = ended["ExportManifest"].as_str().unwrap().replace("manifest-summary.json", "data/");
    let begun = import(&admin, importing(format, &data, json!({"InputCompressionType": "GZIP"}))).await;
    service.do_transfers().await.unwrap();
    let ended = described_import(&admin, &begun).await;
    assert_eq!(ended["ImportStatus"], "COMPLETED", "{:?}", errors(&admin, &begun).await);
    (items(&admin, "notes").await, items(&admin, "copy").await)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn what_was_exported_is_imported_again(
        rest in prop::collection::vec(prop::collection::btree_map("[a-oq-z#é]{1,3}", value(), 0..4), 0..12),
        format in prop_oneof![Just("DYNAMODB_JSON"), Just("ION")],
    ) {
        let given: Vec<Value> = rest.into_iter().enumerate().map(|(number, rest)| {
            let mut item = json!(rest);
            item["p"] = json!({"S": format!("{number:02}")});
            item
        }).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (notes, copy) = runtime.block_on(there_and_back(&given, format));
        prop_assert_eq!(notes.len(), given.len());
        prop_assert_eq!(notes, copy);
    }
}

/// Works on exports and imports, but is dropped again and again after some time, as by crashes.
async fn with_crashes(app: &TestApp, service: &homeport_dynamodb::DynamoDb, caller: &TestCaller) -> usize {
    let mut crashes = 0;
    for polls in (1_usize..).step_by(37) {
        let mut left = polls;
        let mut work = std::pin::pin!(service.do_transfers());
        let done = std::future::poll_fn(|cx| {
            if left == 0 {
                return std::task::Poll::Ready(None);
            }
            left -= 1;
            let polled = work.as_mut().poll(cx).map(Some);
            if polled.is_pending() {
                cx.waker().wake_by_ref();
            }
            polled
        });
        match done.await {
            Some(done) => {
                done.unwrap();
                break;
            }
            None => crashes += 1,
        }
    }
    let rows = app.rows().await;
    let root = homeport_store::Key::of("dynamodb-transfers");
    assert!(!rows.iter().any(|(key, _)| key.starts_with(root.as_bytes())), "all is done");
    drop(keys(caller, "bucket").await);
    crashes
}

#[tokio::test]
async fn a_crash_anywhere_does_no_harm() {
    let (app, service) = app_with_buckets();
    let admin = app.admin();
    bucket(&admin, "bucket").await;
    recoverable(&admin, "notes").await;
    for number in 0..330 {
        put(&admin, "notes", note(&format!("{number:03}"), &"v".repeat(number % 50 * 700))).await;
    }
    let begun = export(&admin, json!({})).await;
    assert!(with_crashes(&app, &service, &admin).await > 3);
    let ended = described_export(&admin, &begun).await;
    assert_eq!((&ended["ExportStatus"], &ended["ItemCount"]), (&json!("COMPLETED"), &json!(330)));
    let data = ended["ExportManifest"].as_str().unwrap().replace("manifest-summary.json", "data/");
    let begun =
        import(&admin, importing("DYNAMODB_JSON", &data, json!({"InputCompressionType": "GZIP"}))).await;
    assert!(with_crashes(&app, &service, &admin).await > 3);
    let ended = described_import(&admin, &begun).await;
    assert_eq!((&ended["ImportStatus"], counts(&ended)), (&json!("COMPLETED"), [330, 330, 0]));
    assert_eq!(items(&admin, "copy").await, items(&admin, "notes").await);
    let described = done(&admin, "DescribeTable", json!({"TableName": "copy"})).await["Table"].clone();
    assert_eq!(described["ItemCount"], 330);
    assert_eq!(get(&admin, "copy", json!({"p": {"S": "007"}})).await, note("007", &"v".repeat(4_900)));
}

#[tokio::test]
async fn the_last_of_items_with_one_key_stays_and_all_are_counted() {
    let (app, service) = app_with_buckets();
    let admin = app.admin();
    bucket(&admin, "bucket").await;
    let lines: String = ["first", "second", "third"].iter().map(|value| line(&note("a", value))).collect();
    put_object(&admin, "/bucket/in/1", lines.as_bytes()).await;
    let begun = import(&admin, importing("DYNAMODB_JSON", "in/", json!({}))).await;
    service.do_transfers().await.unwrap();
    assert_eq!(counts(&described_import(&admin, &begun).await), [3, 3, 0]);
    assert_eq!(items(&admin, "copy").await, [note("a", "third")]);
    let described = done(&admin, "DescribeTable", json!({"TableName": "copy"})).await["Table"].clone();
    assert_eq!((&described["ItemCount"], &described["TableSizeBytes"]), (&json!(1), &json!(8)));
}

#[tokio::test]
async fn what_is_told_of_a_bad_item_is_short_however_long_the_item_is() {
    let (app, service) = app_with_buckets();
    let admin = app.admin();
    bucket(&admin, "bucket").await;
    let long = "é".repeat(100_000);
    let twice = line(&json!({"p": {"S": "1"}, "s": {"SS": [long, long]}}));
    put_object(&admin, "/bucket/in/1", twice.as_bytes()).await;
    let begun = import(&admin, importing("DYNAMODB_JSON", "in/", json!({}))).await;
    service.do_transfers().await.unwrap();
    let logged = errors(&admin, &begun).await;
    let said = logged[0]["errorMessages"][0].as_str().unwrap();
    assert!(said.starts_with("One or more parameter values were invalid") && said.len() <= 1_024, "{said}");
}

#[tokio::test]
async fn a_client_token_may_be_longer_than_a_key() {
    let (app, service) = app_with_buckets();
    let admin = app.admin();
    bucket(&admin, "bucket").await;
    put_object(&admin, "/bucket/in/1", line(&note("1", "kept")).as_bytes()).await;
    let asked = importing("DYNAMODB_JSON", "in/", json!({"ClientToken": "t".repeat(5_000)}));
    let begun = import(&admin, asked.clone()).await;
    assert_eq!(import(&admin, asked).await["ImportArn"], begun["ImportArn"]);
    service.do_transfers().await.unwrap();
    assert_eq!(described_import(&admin, &begun).await["ImportStatus"], "COMPLETED");
}
