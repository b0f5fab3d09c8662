use homeport_testkit::TestCaller;
use serde_json::{Value, json};

use super::app::{done, hash_table, put, working_app};

fn streamed(view: &str) -> Value {
    let mut table = hash_table("notes");
    table["StreamSpecification"] = json!({"StreamEnabled": true, "StreamViewType": view});
    table
}

async fn ask(caller: &TestCaller, operation: &str, input: Value) -> Value {
    caller.call("dynamodbstreams", operation, input).await.ok().json()
}

async fn refused(caller: &TestCaller, operation: &str, input: Value) -> (String, String) {
    let reply = caller.call("dynamodbstreams", operation, input).await;
    assert!(reply.status >= 400, "{operation} succeeded: {}", reply.text());
    (reply.code(), reply.message())
}

/// The stream's ARN and its shard's id.
async fn stream_of(caller: &TestCaller) -> (String, String) {
    let listed = ask(caller, "ListStreams", json!({"TableName": "notes"})).await;
    let arn = listed["Streams"][0]["StreamArn"].as_str().unwrap().to_owned();
    let described = ask(caller, "DescribeStream", json!({"StreamArn": arn})).await;
    let shard = described["StreamDescription"]["Shards"][0]["ShardId"].as_str().unwrap().to_owned();
    (arn, shard)
}

async fn iterator(caller: &TestCaller, kind: &str, number: Option<&Value>) -> Value {
    let (arn, shard) = stream_of(caller).await;
    let mut input = json!({"StreamArn": arn, "ShardId": shard, "ShardIteratorType": kind});
    if let Some(number) = number {
        input["SequenceNumber"] = number.clone();
    }
    ask(caller, "GetShardIterator", input).await["ShardIterator"].clone()
}

async fn records(caller: &TestCaller, iterator: &Value) -> (Vec<Value>, Value) {
    let answer = ask(caller, "GetRecords", json!({"ShardIterator": iterator})).await;
    (answer["Records"].as_array().cloned().unwrap(), answer["NextShardIterator"].clone())
}

fn numbers(records: &[Value]) -> Vec<&Value> {
    records.iter().map(|record| &record["dynamodb"]["SequenceNumber"]).collect()
}

/// A put, a change, a put that changes nothing, and a removal.
async fn write_some(caller: &TestCaller) {
    put(caller, "notes", json!({"p": {"S": "a"}, "v": {"N": "1"}})).await;
    put(caller, "notes", json!({"p": {"S": "a"}, "v": {"N": "2"}})).await;
    put(caller, "notes", json!({"p": {"S": "a"}, "v": {"N": "2"}})).await;
    done(caller, "DeleteItem", json!({"TableName": "notes", "Key": {"p": {"S": "a"}}})).await;
    done(caller, "DeleteItem", json!({"TableName": "notes", "Key": {"p": {"S": "nope"}}})).await;
}

#[tokio::test]
async fn a_stream_tells_of_every_change_in_order_with_what_its_view_shows() {
    for (view, old, new) in [
        ("KEYS_ONLY", false, false),
        ("NEW_IMAGE", false, true),
        ("OLD_IMAGE", true, false),
        ("NEW_AND_OLD_IMAGES", true, true),
    ] {
        let (app, _service) = working_app();
        let admin = app.admin();
        let table = done(&admin, "CreateTable", streamed(view)).await["TableDescription"].clone();
        assert_eq!(table["StreamSpecification"]["StreamViewType"], view);
        write_some(&admin).await;
        let (found, next) = records(&admin, &iterator(&admin, "TRIM_HORIZON", None).await).await;
        assert_eq!(
            found.iter().map(|record| record["eventName"].as_str().unwrap()).collect::<Vec<_>>(),
            ["INSERT", "MODIFY", "REMOVE"]
        );
        let image = |n: &str, shown: bool| {
            if shown { json!({"p": {"S": "a"}, "v": {"N": n}}) } else { Value::Null }
        };
        let changed = &found[1]["dynamodb"];
        assert_eq!(changed["Keys"], json!({"p": {"S": "a"}}));
        assert_eq!((&changed["OldImage"], &changed["NewImage"]), (&image("1", old), &image("2", new)));
        assert_eq!(found[0]["dynamodb"]["OldImage"], Value::Null);
        assert_eq!(found[2]["dynamodb"]["NewImage"], Value::Null);
        assert_eq!(found[2]["userIdentity"], Value::Null);
        assert_eq!(changed["SizeBytes"], 2 + 5 * (i32::from(old) + i32::from(new)));
        let ids: std::collections::BTreeSet<_> = found.iter().map(|r| r["eventID"].to_string()).collect();
        assert_eq!(ids.len(), 3);
        assert!(records(&admin, &next).await.0.is_empty());
        put(&admin, "notes", json!({"p": {"S": "b"}})).await;
        assert_eq!(records(&admin, &next).await.0.len(), 1);
    }
}

#[tokio::test]
async fn iterators_begin_where_they_are_asked_to() {
    let (app, _service) = working_app();
    let admin = app.admin();
    done(&admin, "CreateTable", streamed("KEYS_ONLY")).await;
    let latest_of_nothing = iterator(&admin, "LATEST", None).await;
    write_some(&admin).await;
    let (all, _) = records(&admin, &latest_of_nothing).await;
    assert_eq!(all.len(), 3);
    let numbers = numbers(&all);
    let at = iterator(&admin, "AT_SEQUENCE_NUMBER", Some(numbers[1])).await;
    assert_eq!(records(&admin, &at).await.0, all[1..]);
    let after = iterator(&admin, "AFTER_SEQUENCE_NUMBER", Some(numbers[1])).await;
    assert_eq!(records(&admin, &after).await.0, all[2..]);
    let latest = iterator(&admin, "LATEST", None).await;
    assert!(records(&admin, &latest).await.0.is_empty());
    let (arn, shard) = stream_of(&admin).await;
    app.clock.advance_seconds(10);
    let since = homeport_core::Clock::now(&*app.clock).seconds();
    write_some(&admin).await;
    for (timestamp, count) in [(since, 3), (since - 5, 3), (since - 10, 6), (since + 1, 0)] {
        let input = json!({"StreamArn": arn, "ShardId": shard, "ShardIteratorType": "AT_TIMESTAMP", "Timestamp": timestamp});
        let iterator = ask(&admin, "GetShardIterator", input).await["ShardIterator"].clone();
        assert_eq!(records(&admin, &iterator).await.0.len(), count);
    }
    let mut whole = json!({"ShardIterator": latest_of_nothing, "Limit": 2});
    let first = ask(&admin, "GetRecords", whole.clone()).await;
    assert_eq!(first["Records"].as_array().map(Vec::len), Some(2));
    whole["ShardIterator"] = first["NextShardIterator"].clone();
    let second = ask(&admin, "GetRecords", whole).await;
    assert_eq!(second["Records"][0], all[2]);
}

#[tokio::test]
async fn what_time_to_live_removes_is_marked_as_the_services_own() {
    let (app, service) = working_app();
    let admin = app.admin();
    done(&admin, "CreateTable", streamed("OLD_IMAGE")).await;
    let ttl =
        json!({"TableName": "notes", "TimeToLiveSpecification": {"Enabled": true, "AttributeName": "gone"}});
    done(&admin, "UpdateTimeToLive", ttl).await;
    let past = homeport_core::Clock::now(&*app.clock).seconds() - 1;
    put(&admin, "notes", json!({"p": {"S": "a"}, "gone": {"N": past.to_string()}})).await;
    service.remove_expired().await.unwrap();
    let (found, _) = records(&admin, &iterator(&admin, "TRIM_HORIZON", None).await).await;
    assert_eq!(found[1]["eventName"], "REMOVE");
    assert_eq!(found[1]["userIdentity"], json!({"PrincipalId": "dynamodb.amazonaws.com", "Type": "Service"}));
    assert_eq!(found[0]["userIdentity"], Value::Null);
}

#[tokio::test]
async fn a_stream_that_is_disabled_is_read_to_its_end_and_for_a_day() {
    let (app, service) = working_app();
    let admin = app.admin();
    done(&admin, "CreateTable", streamed("KEYS_ONLY")).await;
    put(&admin, "notes", json!({"p": {"S": "a"}})).await;
    let begin = iterator(&admin, "TRIM_HORIZON", None).await;
    let (arn, _) = stream_of(&admin).await;
    let off = json!({"TableName": "notes", "StreamSpecification": {"StreamEnabled": false}});
    let updated = done(&admin, "UpdateTable", off.clone()).await["TableDescription"].clone();
    assert_eq!((&updated["LatestStreamArn"], &updated["StreamSpecification"]), (&json!(arn), &Value::Null));
    let described = done(&admin, "DescribeTable", json!({"TableName": "notes"})).await["Table"].clone();
    let label = described["LatestStreamLabel"].as_str().unwrap();
    assert!(arn.ends_with(&format!("/stream/{label}")));
    put(&admin, "notes", json!({"p": {"S": "untold"}})).await;
    let (found, next) = records(&admin, &begin).await;
    assert_eq!((found.len(), next), (1, Value::Null));
    let described =
        ask(&admin, "DescribeStream", json!({"StreamArn": arn})).await["StreamDescription"].clone();
    assert_eq!(described["StreamStatus"], "DISABLED");
    let range = &described["Shards"][0]["SequenceNumberRange"];
    assert_eq!(range["EndingSequenceNumber"], found[0]["dynamodb"]["SequenceNumber"]);
    let (code, said) = super::app::refusal(&admin, "UpdateTable", off).await;
    assert_eq!(
        (code.as_str(), said.as_str()),
        ("ValidationException", "Table has no stream to disable: TableName: notes")
    );
    let on = json!({"TableName": "notes", "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "KEYS_ONLY"}});
    app.clock.advance_seconds(1);
    let again = done(&admin, "UpdateTable", on.clone()).await["TableDescription"].clone();
    assert_ne!(again["LatestStreamArn"], json!(arn));
    let (code, _) = super::app::refusal(&admin, "UpdateTable", on).await;
    assert_eq!(code, "ValidationException");
    assert_eq!(ask(&admin, "ListStreams", json!({})).await["Streams"].as_array().map(Vec::len), Some(2));
    let paged = ask(&admin, "ListStreams", json!({"Limit": 1})).await;
    let rest = json!({"ExclusiveStartStreamArn": paged["LastEvaluatedStreamArn"]});
    assert_eq!(ask(&admin, "ListStreams", rest).await["Streams"].as_array().map(Vec::len), Some(1));
    app.clock.advance_seconds(24 * 3_600 + 1);
    service.tidy().await.unwrap();
    assert_eq!(ask(&admin, "ListStreams", json!({})).await["Streams"].as_array().map(Vec::len), Some(1));
    let (code, _) = refused(&admin, "DescribeStream", json!({"StreamArn": arn})).await;
    assert_eq!(code, "ResourceNotFoundException");
}

#[tokio::test]
async fn records_are_trimmed_after_a_day_and_iterators_expire_after_fifteen_minutes() {
    let (app, service) = working_app();
    let admin = app.admin();
    done(&admin, "CreateTable", streamed("KEYS_ONLY")).await;
    put(&admin, "notes", json!({"p": {"S": "old"}})).await;
    let begin = iterator(&admin, "TRIM_HORIZON", None).await;
    let (all, _) = records(&admin, &begin).await;
    let first = all[0]["dynamodb"]["SequenceNumber"].clone();
    app.clock.advance_seconds(15 * 60);
    let (code, _) = refused(&admin, "GetRecords", json!({"ShardIterator": begin})).await;
    assert_eq!(code, "ExpiredIteratorException");
    app.clock.advance_seconds(24 * 3_600);
    put(&admin, "notes", json!({"p": {"S": "new"}})).await;
    // What is over isn't shown, removed or not.
    let begin = iterator(&admin, "TRIM_HORIZON", None).await;
    assert_eq!(records(&admin, &begin).await.0.len(), 1);
    service.tidy().await.unwrap();
    assert_eq!(records(&admin, &begin).await.0.len(), 1);
    let (arn, shard) = stream_of(&admin).await;
    let at = json!({"StreamArn": arn, "ShardId": shard, "ShardIteratorType": "AT_SEQUENCE_NUMBER", "SequenceNumber": first});
    assert_eq!(refused(&admin, "GetShardIterator", at).await.0, "TrimmedDataAccessException");
}

#[tokio::test]
async fn what_no_stream_has_is_refused() {
    let (app, _service) = working_app();
    let admin = app.admin();
    done(&admin, "CreateTable", streamed("KEYS_ONLY")).await;
    let (arn, shard) = stream_of(&admin).await;
    let other = arn.replace("notes", "other");
    let begin = |arn: &str, shard: &str, kind: &str| json!({"StreamArn": arn, "ShardId": shard, "ShardIteratorType": kind});
    let other_shard = "shardId-00000000000000000000-00000000";
    for (operation, input, code) in [
        ("DescribeStream", json!({"StreamArn": other}), "ResourceNotFoundException"),
        (
            "DescribeStream",
            json!({"StreamArn": "arn:aws:dynamodb:us-east-1:123456789012:table/notes"}),
            "ValidationException",
        ),
        ("GetShardIterator", begin(&other, &shard, "LATEST"), "ResourceNotFoundException"),
        ("GetShardIterator", begin(&arn, other_shard, "LATEST"), "ResourceNotFoundException"),
        ("GetShardIterator", begin(&arn, &shard, "AT_SEQUENCE_NUMBER"), "ValidationException"),
        ("GetShardIterator", begin(&arn, &shard, "NEVER"), "ValidationException"),
        ("GetRecords", json!({"ShardIterator": format!("{arn}|1|AAAA")}), "ValidationException"),
        ("GetRecords", json!({}), "ValidationException"),
    ] {
        assert_eq!(refused(&admin, operation, input).await.0, code, "{operation}");
    }
    let iterator = iterator(&admin, "LATEST", None).await;
    let too_many = json!({"ShardIterator": iterator, "Limit": 1_001});
    assert_eq!(refused(&admin, "GetRecords", too_many).await.0, "ValidationException");
}

#[tokio::test]
async fn an_iterator_of_no_record_takes_no_sequence_number() {
    let (app, _service) = working_app();
    let admin = app.admin();
    done(&admin, "CreateTable", streamed("KEYS_ONLY")).await;
    put(&admin, "notes", json!({"p": {"S": "a"}})).await;
    let begin = iterator(&admin, "TRIM_HORIZON", None).await;
    let number = records(&admin, &begin).await.0[0]["dynamodb"]["SequenceNumber"].clone();
    let (arn, shard) = stream_of(&admin).await;
    let with_number = |kind: &str| json!({"StreamArn": arn, "ShardId": shard, "ShardIteratorType": kind, "SequenceNumber": number});
    for kind in ["TRIM_HORIZON", "LATEST"] {
        let (code, _) = refused(&admin, "GetShardIterator", with_number(kind)).await;
        assert_eq!(code, "ValidationException", "{kind}");
    }
    ask(&admin, "GetShardIterator", with_number("AFTER_SEQUENCE_NUMBER")).await;
}

#[tokio::test]
async fn no_more_than_a_hundred_streams_or_shards_are_listed() {
    let (app, _service) = working_app();
    let admin = app.admin();
    done(&admin, "CreateTable", streamed("KEYS_ONLY")).await;
    let (arn, _) = stream_of(&admin).await;
    for (operation, mut input) in [("ListStreams", json!({})), ("DescribeStream", json!({"StreamArn": arn}))]
    {
        input["Limit"] = json!(100);
        ask(&admin, operation, input.clone()).await;
        input["Limit"] = json!(101);
        let said = "1 validation error detected: Value '101' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 100";
        let told = refused(&admin, operation, input).await;
        assert_eq!(told, ("ValidationException".to_owned(), said.to_owned()), "{operation}");
    }
}

#[tokio::test]
async fn a_stream_is_read_by_whom_its_policy_names_and_no_other() {
    let (app, _service) = working_app();
    let admin = app.admin();
    done(&admin, "CreateTable", streamed("KEYS_ONLY")).await;
    let (arn, _) = stream_of(&admin).await;
    let policy = |resource: &str| {
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "dynamodb:*", "Resource": resource}]}).to_string()
    };
    let reader =
        app.user("reader", &[&policy("arn:aws:dynamodb:us-east-1:123456789012:table/notes/stream/*")]);
    let writer = app.user("writer", &[&policy("arn:aws:dynamodb:us-east-1:123456789012:table/notes")]);
    let describe = json!({"StreamArn": arn});
    ask(&reader, "DescribeStream", describe.clone()).await;
    assert_eq!(refused(&writer, "DescribeStream", describe).await.0, "AccessDeniedException");
    let begin = iterator(&admin, "TRIM_HORIZON", None).await;
    records(&reader, &begin).await;
    assert_eq!(
        refused(&writer, "GetRecords", json!({"ShardIterator": begin})).await.0,
        "AccessDeniedException"
    );
}

#[tokio::test]
async fn an_arn_of_another_partition_names_no_stream() {
    let (app, _service) = working_app();
    let admin = app.admin();
    done(&admin, "CreateTable", streamed("KEYS_ONLY")).await;
    let (arn, shard) = stream_of(&admin).await;
    for other in [arn.replace("arn:aws:", "arn:aws-cn:"), arn.replace("/stream/", "/x/stream/")] {
        let asked = json!({"StreamArn": other, "ShardId": shard, "ShardIteratorType": "LATEST"});
        assert_eq!(refused(&admin, "GetShardIterator", asked).await.0, "ValidationException", "{other}");
        let (code, _) = refused(&admin, "DescribeStream", json!({"StreamArn": other})).await;
        assert_eq!(code, "ValidationException", "{other}");
    }
}

#[tokio::test]
async fn a_stream_is_enabled_with_a_view_and_disabled_without_one() {
    let (app, _service) = working_app();
    let admin = app.admin();
    let table = done(&admin, "CreateTable", hash_table("notes")).await["TableDescription"].clone();
    assert_eq!((&table["LatestStreamArn"], &table["LatestStreamLabel"]), (&Value::Null, &Value::Null));
    for (specification, said) in [
        (json!({"StreamEnabled": true}), "If stream is being enabled then UpdateViewType is required"),
        (
            json!({"StreamEnabled": false, "StreamViewType": "KEYS_ONLY"}),
            "If stream is being disabled, then UpdateViewType must not be specified",
        ),
    ] {
        let update = json!({"TableName": "notes", "StreamSpecification": specification});
        let said = format!("One or more parameter values were invalid: {said}");
        let refused = super::app::refusal(&admin, "UpdateTable", update).await;
        assert_eq!(refused, ("ValidationException".to_owned(), said));
    }
}
