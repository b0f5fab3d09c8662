//! CloudWatch Logs through the whole pipeline.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use homeport_core::{Region, Timestamp};
use homeport_logs::Logs;
use homeport_service::needs::{LogLine, PutLog as _};
use homeport_testkit::{Sample, TestApp, TestCaller, assert_strangers_are_refused};
use serde_json::{Value, json};

/// The test clock's beginning, in milliseconds.
const NOW: i64 = 1_795_000_000_000;
const ARN: &str = "arn:aws:logs:us-east-1:123456789012:log-group:app";

fn app() -> TestApp {
    TestApp::new(|parts| vec![homeport_logs::host(parts).1])
}

fn app_and_service() -> (TestApp, Arc<Logs>) {
    let service = Mutex::new(None);
    let app = TestApp::new(|parts| {
        let (logs, hosted) = homeport_logs::host(parts);
        *service.lock().expect("lock") = Some(logs);
        vec![hosted]
    });
    (app, service.into_inner().expect("lock").expect("made"))
}

async fn call(caller: &TestCaller, operation: &str, input: Value) -> Value {
    caller.call("logs", operation, input).await.ok().json()
}

async fn with_streams(app: &TestApp, streams: &[&str]) {
    call(&app.admin(), "CreateLogGroup", json!({"logGroupName": "app"})).await;
    for stream in streams {
        call(&app.admin(), "CreateLogStream", json!({"logGroupName": "app", "logStreamName": stream})).await;
    }
}

async fn put(app: &TestApp, stream: &str, events: &[(i64, &str)]) -> Value {
    let events: Vec<Value> =
        events.iter().map(|(at, message)| json!({"timestamp": NOW + at, "message": message})).collect();
    let input = json!({"logGroupName": "app", "logStreamName": stream, "logEvents": events});
    call(&app.admin(), "PutLogEvents", input).await
}

fn messages(answer: &Value) -> Vec<&str> {
    answer["events"]
        .as_array()
        .expect("events")
        .iter()
        .map(|event| event["message"].as_str().expect("text"))
        .collect()
}

#[tokio::test]
async fn strangers_are_refused() {
    let stream = json!({"logGroupName": "app", "logStreamName": "s"});
    let group = json!({"logGroupName": "app"});
    let events = json!({"logGroupName": "app", "logStreamName": "s", "logEvents": [{"timestamp": NOW, "message": "m"}]});
    let on_group = |operation, input: Value| {
        Sample::new("logs", operation, input).after("CreateLogGroup", group.clone())
    };
    let on_stream =
        |operation, input: Value| on_group(operation, input).after("CreateLogStream", stream.clone());
    let samples = [
        Sample::new("logs", "CreateLogGroup", group.clone()),
        on_group("DeleteLogGroup", group.clone()),
        on_group("DescribeLogGroups", json!({})),
        on_group("CreateLogStream", stream.clone()),
        on_stream("DeleteLogStream", stream.clone()),
        on_stream("DescribeLogStreams", group.clone()),
        on_stream("PutLogEvents", events),
        on_stream("GetLogEvents", stream.clone()),
        on_stream("FilterLogEvents", group.clone()),
        on_group("PutRetentionPolicy", json!({"logGroupName": "app", "retentionInDays": 7})),
        on_group("DeleteRetentionPolicy", group.clone()),
        on_group("TagResource", json!({"resourceArn": ARN, "tags": {"a": "b"}})),
        on_group("UntagResource", json!({"resourceArn": ARN, "tagKeys": ["a"]})),
        on_group("ListTagsForResource", json!({"resourceArn": ARN})),
    ];
    assert_strangers_are_refused(app, &samples).await;
}

#[tokio::test]
async fn a_stream_is_read_from_either_end_page_by_page() {
    let app = app();
    with_streams(&app, &["s"]).await;
    put(&app, "s", &[(0, "a"), (0, "b"), (1, "c")]).await;
    put(&app, "s", &[(1, "d"), (2, "e")]).await;
    let get = async |more: Value| {
        let mut input = json!({"logGroupName": "app", "logStreamName": "s"});
        more.as_object().expect("an object").iter().for_each(|(key, value)| input[key] = value.clone());
        call(&app.admin(), "GetLogEvents", input).await
    };
    assert_eq!(messages(&get(json!({})).await), ["a", "b", "c", "d", "e"]);
    let last = get(json!({"limit": 2})).await;
    assert_eq!(messages(&last), ["d", "e"]);
    let before = get(json!({"limit": 2, "nextToken": last["nextBackwardToken"]})).await;
    assert_eq!(messages(&before), ["b", "c"]);
    let head = get(json!({"limit": 2, "startFromHead": true})).await;
    assert_eq!(messages(&head), ["a", "b"]);
    let next = get(json!({"limit": 10, "nextToken": head["nextForwardToken"]})).await;
    assert_eq!(messages(&next), ["c", "d", "e"]);
    let end = get(json!({"nextToken": next["nextForwardToken"]})).await;
    assert_eq!(messages(&end), [""; 0]);
    assert_eq!(end["nextForwardToken"], next["nextForwardToken"], "at the end the token stays");
    put(&app, "s", &[(3, "f")]).await;
    assert_eq!(messages(&get(json!({"nextToken": end["nextForwardToken"]})).await), ["f"]);
    let window = get(json!({"startTime": NOW + 1, "endTime": NOW + 2})).await;
    assert_eq!(messages(&window), ["c", "d"]);
    let forged = json!({"logGroupName": "app", "logStreamName": "s", "nextToken": "f/00"});
    app.admin().call("logs", "GetLogEvents", forged).await.refused("InvalidParameterException", 400);
}

#[tokio::test]
async fn a_group_is_searched_across_its_streams_in_the_order_of_time() {
    let app = app();
    with_streams(&app, &["one", "two"]).await;
    put(&app, "one", &[(0, "ERROR first"), (20, "fine")]).await;
    put(&app, "two", &[(10, "ERROR second"), (30, "{\"level\":\"error\",\"n\":3}")]).await;
    let filter = async |more: Value| {
        let mut input = json!({"logGroupName": "app"});
        more.as_object().expect("an object").iter().for_each(|(key, value)| input[key] = value.clone());
        call(&app.admin(), "FilterLogEvents", input).await
    };
    assert_eq!(messages(&filter(json!({})).await).len(), 4);
    let errors = filter(json!({"filterPattern": "ERROR"})).await;
    assert_eq!(messages(&errors), ["ERROR first", "ERROR second"]);
    assert_eq!(errors["events"][1]["logStreamName"], "two");
    let ids: Vec<_> =
        errors["events"].as_array().expect("events").iter().map(|event| event["eventId"].clone()).collect();
    assert_ne!(ids[0], ids[1]);
    assert_eq!(messages(&filter(json!({"filterPattern": "{ $.n >= 3 }"})).await).len(), 1);
    assert_eq!(messages(&filter(json!({"logStreamNames": ["one"]})).await), ["ERROR first", "fine"]);
    assert_eq!(
        messages(&filter(json!({"logStreamNamePrefix": "tw", "endTime": NOW + 29})).await),
        ["ERROR second"]
    );
    let upto = filter(json!({"logStreamNamePrefix": "tw", "endTime": NOW + 30})).await;
    assert_eq!(messages(&upto).len(), 2, "an event at the end's very millisecond is not later than it");
    let first = filter(json!({"limit": 3})).await;
    assert_eq!(messages(&first).len(), 3);
    let rest = filter(json!({"limit": 3, "nextToken": first["nextToken"]})).await;
    assert_eq!(messages(&rest).len(), 1);
    assert!(rest.get("nextToken").is_none());
    let bad = json!({"logGroupName": "app", "filterPattern": "[a, b]"});
    app.admin().call("logs", "FilterLogEvents", bad).await.refused("InvalidParameterException", 400);
}

#[tokio::test]
async fn batches_are_bounded_and_in_order() {
    let app = app();
    with_streams(&app, &["s"]).await;
    let refused = async |events: Value| {
        let input = json!({"logGroupName": "app", "logStreamName": "s", "logEvents": events});
        app.admin().call("logs", "PutLogEvents", input).await.refused("InvalidParameterException", 400);
    };
    refused(json!([{"timestamp": NOW, "message": "b"}, {"timestamp": NOW - 1, "message": "a"}])).await;
    refused(json!([{"timestamp": NOW - 90_000_000, "message": "a"}, {"timestamp": NOW, "message": "b"}]))
        .await;
    let long = "x".repeat(250_000);
    refused(json!([(); 5].map(|()| json!({"timestamp": NOW, "message": long})))).await;
    let info = put(&app, "s", &[(0, "now"), (7_200_001, "too new")]).await;
    assert_eq!(info["rejectedLogEventsInfo"], json!({"tooNewLogEventStartIndex": 1}));
    let absent = json!({"logGroupName": "app", "logStreamName": "absent", "logEvents": [{"timestamp": NOW, "message": "m"}]});
    let refused =
        app.admin().call("logs", "PutLogEvents", absent).await.refused("ResourceNotFoundException", 400);
    assert_eq!(refused.message(), "The specified log stream does not exist.");
}

#[tokio::test]
async fn groups_and_streams_are_listed_and_named_once() {
    let app = app();
    with_streams(&app, &["a", "b", "c"]).await;
    let admin = app.admin();
    admin
        .call("logs", "CreateLogGroup", json!({"logGroupName": "app"}))
        .await
        .refused("ResourceAlreadyExistsException", 400);
    let again = json!({"logGroupName": "app", "logStreamName": "a"});
    admin.call("logs", "CreateLogStream", again).await.refused("ResourceAlreadyExistsException", 400);
    put(&app, "b", &[(5, "x")]).await;
    put(&app, "a", &[(9, "y")]).await;
    let names = |answer: &Value| -> Vec<String> {
        let streams = answer["logStreams"].as_array().expect("streams");
        streams.iter().map(|stream| stream["logStreamName"].as_str().expect("text").to_owned()).collect()
    };
    let page = call(&admin, "DescribeLogStreams", json!({"logGroupName": "app", "limit": 2})).await;
    assert_eq!(names(&page), ["a", "b"]);
    let input = json!({"logGroupName": "app", "limit": 2, "nextToken": page["nextToken"]});
    assert_eq!(names(&call(&admin, "DescribeLogStreams", input).await), ["c"]);
    let by_time = json!({"logGroupIdentifier": ARN, "orderBy": "LastEventTime", "descending": true});
    let by_time = call(&admin, "DescribeLogStreams", by_time).await;
    assert_eq!(names(&by_time)[0], "a");
    assert_eq!(by_time["logStreams"][0]["lastEventTimestamp"], NOW + 9);
    call(&admin, "PutRetentionPolicy", json!({"logGroupName": "app", "retentionInDays": 7})).await;
    let groups = call(&admin, "DescribeLogGroups", json!({"logGroupNamePrefix": "ap"})).await;
    let group = &groups["logGroups"][0];
    assert_eq!((&group["arn"], &group["retentionInDays"]), (&json!(format!("{ARN}:*")), &json!(7)));
    assert_eq!(group["storedBytes"], 2 * 27);
    let odd = json!({"logGroupName": "app", "retentionInDays": 8});
    admin.call("logs", "PutRetentionPolicy", odd).await.refused("InvalidParameterException", 400);
    let elsewhere = call(&admin.clone().in_region("eu-west-1"), "DescribeLogGroups", json!({})).await;
    assert_eq!(elsewhere["logGroups"], json!([]));
}

/// Rows of the service; the store keeps some of its own on indexes.
async fn rows(app: &TestApp) -> usize {
    let own = |key: &[u8]| key.windows(16).any(|part| part == b"homeport.indexes");
    app.rows().await.iter().filter(|(key, _)| !own(key)).count()
}

#[tokio::test]
async fn a_deleted_group_is_swept_and_a_new_one_is_empty() {
    let (app, logs) = app_and_service();
    with_streams(&app, &["s", "t"]).await;
    put(&app, "s", &[(0, "old")]).await;
    put(&app, "t", &[(1, "other")]).await;
    call(&app.admin(), "DeleteLogStream", json!({"logGroupName": "app", "logStreamName": "t"})).await;
    let left = call(&app.admin(), "FilterLogEvents", json!({"logGroupName": "app"})).await;
    assert_eq!(messages(&left), ["old"]);
    call(&app.admin(), "DeleteLogGroup", json!({"logGroupName": "app"})).await;
    logs.start();
    for _ in 0..200 {
        if rows(&app).await == 0 {
            with_streams(&app, &["s"]).await;
            let input = json!({"logGroupName": "app", "logStreamName": "s"});
            assert_eq!(messages(&call(&app.admin(), "GetLogEvents", input).await).len(), 0);
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{} rows are left", rows(&app).await);
}

#[tokio::test]
async fn what_outlives_its_retention_is_swept() {
    let (app, logs) = app_and_service();
    with_streams(&app, &["s"]).await;
    put(&app, "s", &[(0, "old")]).await;
    app.clock.advance_seconds(2 * 86_400);
    put(&app, "s", &[(2 * 86_400_000, "new")]).await;
    logs.start();
    call(&app.admin(), "PutRetentionPolicy", json!({"logGroupName": "app", "retentionInDays": 1})).await;
    for _ in 0..200 {
        let left = call(&app.admin(), "FilterLogEvents", json!({"logGroupName": "app"})).await;
        if messages(&left) == ["new"] {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the old event stays");
}

#[tokio::test]
async fn other_services_lines_are_there_to_read() {
    let (app, logs) = app_and_service();
    let line = |at, text: &str| LogLine { at: Timestamp::from_millis(NOW + at), text: text.to_owned() };
    let lines = vec![line(0, "START"), line(0, "hello"), line(2, "END")];
    let region = Region::default_region();
    logs.put_log(&region, "/aws/lambda/f", "2026/11/21/[$LATEST]0", lines).await.expect("put");
    logs.put_log(&region, "/aws/lambda/f", "2026/11/21/[$LATEST]0", vec![line(3, &"ü".repeat(1 << 20))])
        .await
        .expect("put");
    let input = json!({"logGroupName": "/aws/lambda/f", "logStreamName": "2026/11/21/[$LATEST]0", "startFromHead": true});
    let found = call(&app.admin(), "GetLogEvents", input).await;
    assert_eq!(messages(&found), ["START", "hello", "END"], "a page holds a MiB");
}
