use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use homeport_core::{Account, Arn};
use homeport_service::needs::{Invocation, Invoke as _, InvokeKind, InvokeRefused, On};
use homeport_testkit::TestCaller;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::stage::{Stage, header};

const TOLD: &str = r#"
import os
def handler(event, context):
    return {
        "event": event,
        "arn": context.invoked_function_arn,
        "left": context.get_remaining_time_in_millis(),
        "memory": context.memory_limit_in_mb,
        "request": context.aws_request_id,
        "client": context.client_context.custom if context.client_context else None,
        "environment": dict(os.environ),
        "folder": os.getcwd(),
    }
"#;

pub(crate) async fn a_python_handler_is_told_what_aws_tells_it() {
    let stage = Stage::new().await;
    let variables =
        json!({"Environment": {"Variables": {"TABLE": "notes"}}, "Timeout": 30, "MemorySize": 256});
    stage.create("told", "python3.12", "index.py", TOLD, variables).await;
    let asked = json!({
        "FunctionName": "told",
        "Payload": STANDARD.encode(r#"{"text":"Grüße"}"#),
        "ClientContext": STANDARD.encode(r#"{"custom":{"a":"b"}}"#),
    });
    let reply = stage.ask(asked).await.ok();
    assert_eq!(header(&reply, "x-amz-executed-version"), "$LATEST");
    assert_eq!(header(&reply, "x-amz-function-error"), "");
    let told = reply.json();
    assert_eq!(told["event"], json!({"text": "Grüße"}));
    assert_eq!(told["arn"], "arn:aws:lambda:us-east-1:123456789012:function:told");
    assert_eq!(told["memory"], "256");
    assert_eq!(told["client"], json!({"a": "b"}));
    assert_eq!(told["request"], header(&reply, "x-amzn-requestid"));
    let environment = &told["environment"];
    for (name, value) in [
        ("TABLE", "notes"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_LAMBDA_FUNCTION_NAME", "told"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_EXECUTION_ENV", "AWS_Lambda_python3.12"),
        ("AWS_ACCESS_KEY_ID", "ASIATESTFUNCTION0000"),
        ("AWS_SESSION_TOKEN", "token-of-told"),
        ("_HANDLER", "index.handler"),
    ] {
        assert_eq!(environment[name], value, "{name}");
    }
    assert_eq!(told["folder"], environment["LAMBDA_TASK_ROOT"]);
    assert!(environment["AWS_ENDPOINT_URL"].as_str().is_some_and(|url| url.starts_with("http://127.0.0.1:")));
    assert!(environment.get("CARGO_PKG_NAME").is_none(), "nothing is inherited");
}

pub(crate) async fn a_node_module_answers() {
    let stage = Stage::new().await;
    let code = "export const handler = async (event, context) => ({ twice: event.n * 2, name: context.functionName })";
    stage.create("module", "nodejs22.x", "index.mjs", code, json!({})).await;
    for n in 1..=3 {
        let answer = stage.invoke("module", json!({"n": n})).await.ok().json();
        assert_eq!(answer, json!({"twice": 2 * n, "name": "module"}));
    }
    let code = "exports.handler = async () => undefined";
    stage.create("nothing", "nodejs20.x", "index.js", code, json!({})).await;
    assert_eq!(stage.invoke("nothing", json!({})).await.ok().text(), "null");
}

pub(crate) async fn a_node_callback_answers_once_nothing_is_left_to_do() {
    let stage = Stage::new().await;
    let code = "let late = 0
        exports.handler = (event, context, callback) => {
            setTimeout(() => { late += 1 }, 100)
            context.callbackWaitsForEmptyEventLoop = event.wait
            if (event.say) callback(null, { late })
        }";
    stage.create("callback", "nodejs20.x", "index.js", code, json!({})).await;
    assert_eq!(
        stage.invoke("callback", json!({"say": true, "wait": true})).await.ok().json(),
        json!({"late": 0})
    );
    assert_eq!(
        stage.invoke("callback", json!({"say": true, "wait": false})).await.ok().json(),
        json!({"late": 1})
    );
    assert_eq!(stage.invoke("callback", json!({"say": false, "wait": true})).await.ok().text(), "null");
}

const BOOTSTRAP: &str = r#"#!/usr/bin/python3
import os, urllib.request
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
while True:
    with opener.open(api + "next") as event:
        id = event.headers["Lambda-Runtime-Aws-Request-Id"]
        body = b"own:" + event.read()
    opener.open(api + id + "/response", body).read()
"#;

pub(crate) async fn a_package_may_bring_its_own_bootstrap() {
    let stage = Stage::new().await;
    stage.create("own", "provided.al2023", "bootstrap", BOOTSTRAP, json!({})).await;
    assert_eq!(stage.invoke("own", json!([1])).await.ok().text(), "own:[1]");
    assert_eq!(stage.invoke("own", json!([2])).await.ok().text(), "own:[2]");
}

pub(crate) async fn what_is_printed_stands_between_start_and_end() {
    let stage = Stage::new().await;
    let code = "import sys, logging
def handler(event, context):
    print('one')
    print('two', file=sys.stderr)
    logging.getLogger().warning('three')
    return 1";
    stage.create("prints", "python3.11", "index.py", code, json!({})).await;
    let asked = json!({"FunctionName": "prints", "LogType": "Tail"});
    let reply = stage.ask(asked).await.ok();
    let tail = STANDARD.decode(header(&reply, "x-amz-log-result")).expect("Base64");
    let tail = String::from_utf8(tail).expect("text");
    assert!(tail.starts_with("START RequestId: "), "{tail}");
    assert!(tail.contains("one") && tail.contains("two") && tail.contains("three"), "{tail}");
    stage.invoke("prints", json!({})).await.ok();
    let ends = |lines: &[String]| lines.iter().filter(|line| line.starts_with("REPORT")).count() == 2;
    let lines = stage.logs.of("prints", ends).await;
    assert!(lines[0].starts_with("INIT_START Runtime Version: python:3."), "{lines:?}");
    let order: Vec<&str> =
        lines[1..7].iter().map(|line| line.split([' ', '\t']).next().unwrap_or_default()).collect();
    assert_eq!((order[0], order[4], order[5]), ("START", "END", "REPORT"), "{lines:?}");
    assert!(lines[6].contains("Init Duration: ") && !lines[12].contains("Init Duration: "), "{lines:?}");
    assert!(lines[6].contains("Memory Size: 128 MB") && lines[6].contains("Billed Duration: "), "{lines:?}");
}

pub(crate) async fn a_queued_event_is_run_and_run_again_after_a_failure() {
    let stage = Stage::new().await;
    stage.lambda.start();
    let code = "def handler(event, context):
    print('event', event['n'])
    if event['n'] == 2:
        raise ValueError('not yet')";
    stage.create("queued", "python3.11", "index.py", code, json!({})).await;
    for n in [1, 2] {
        let payload = STANDARD.encode(json!({"n": n}).to_string());
        let asked = json!({"FunctionName": "queued", "InvocationType": "Event", "Payload": payload});
        assert_eq!(stage.ask(asked).await.ok().status, 202);
    }
    let seen = |n: &'static str, times| {
        move |lines: &[String]| lines.iter().filter(|line| **line == n).count() == times
    };
    stage.logs.of("queued", seen("event 1", 1)).await;
    for times in 1..=3 {
        stage.logs.of("queued", seen("event 2", times)).await;
        // The failure is written down after the log.
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        stage.app.clock.advance_seconds(121);
    }
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    stage.logs.of("queued", seen("event 2", 3)).await;
    stage.logs.of("queued", seen("event 1", 1)).await;
    let gone = json!({"FunctionName": "gone", "InvocationType": "Event"});
    stage.ask(gone).await.refused("ResourceNotFoundException", 404);
}

pub(crate) async fn each_queued_event_is_run_by_one_of_two_nodes() {
    let stage = Stage::new().await;
    let beside = stage.beside().await;
    let code = "def handler(event, context):\n    print('event', event['n'])";
    stage.create("queued", "python3.11", "index.py", code, json!({})).await;
    for n in 0..40 {
        let payload = STANDARD.encode(json!({"n": n}).to_string());
        let asked = json!({"FunctionName": "queued", "InvocationType": "Event", "Payload": payload});
        let node = if n % 2 == 0 { &stage } else { &beside };
        assert_eq!(node.ask(asked).await.ok().status, 202);
    }
    // Only one of them works at first: the other's events are its too.
    beside.lambda.start();
    let ran = |lines: &[String]| lines.iter().filter(|line| line.starts_with("event ")).count();
    beside.logs.of("queued", |lines| ran(lines) > 0).await;
    stage.lambda.start();
    stage.queue_is_empty().await;
    let lines = stage.logs.of("queued", |lines| ran(lines) >= 40).await;
    for n in 0..40 {
        assert_eq!(lines.iter().filter(|line| **line == format!("event {n}")).count(), 1, "event {n}");
    }
}

pub(crate) async fn a_queued_event_runs_only_while_it_still_may() {
    let stage = Stage::new().await;
    let code = "def handler(event, context):\n    print('event', event['n'])";
    for name in ["queued", "remade"] {
        stage.create(name, "python3.11", "index.py", code, json!({})).await;
    }
    let invoke = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"lambda:InvokeFunction","Resource":"*"}]}"#;
    let (keeps, loses) = (stage.app.user("KEEPS", &[invoke]), stage.app.user("LOSES", &[invoke]));
    let queue = async |caller: &TestCaller, name: &str, n: u8| {
        let payload = STANDARD.encode(json!({"n": n}).to_string());
        let asked = json!({"FunctionName": name, "InvocationType": "Event", "Payload": payload});
        assert_eq!(caller.call("lambda", "Invoke", asked).await.ok().status, 202);
    };
    queue(&keeps, "queued", 1).await;
    queue(&loses, "queued", 2).await;
    queue(&keeps, "remade", 3).await;
    stage.app.iam.put_user("AKIALOSES00000000000", &[]);
    stage.app.admin().call("lambda", "DeleteFunction", json!({"FunctionName": "remade"})).await.ok();
    stage.create("remade", "python3.11", "index.py", code, json!({})).await;

    stage.lambda.start();
    stage.logs.of("queued", |lines| lines.iter().any(|line| line == "event 1")).await;
    stage.queue_is_empty().await;
    // The same again with the right, and of the function that is there now.
    stage.app.iam.put_user("AKIALOSES00000000000", &[invoke]);
    queue(&loses, "queued", 4).await;
    queue(&keeps, "remade", 5).await;
    let queued = stage.logs.of("queued", |lines| lines.iter().any(|line| line == "event 4")).await;
    let remade = stage.logs.of("remade", |lines| lines.iter().any(|line| line == "event 5")).await;
    assert!(!queued.contains(&"event 2".to_owned()), "{queued:?}");
    assert!(!remade.contains(&"event 3".to_owned()), "{remade:?}");
}

pub(crate) async fn a_queued_event_of_a_service_runs_only_while_it_still_may() {
    let stage = Stage::new().await;
    let code = "def handler(event, context):\n    print('event', event)";
    stage.create("triggered", "python3.11", "index.py", code, json!({})).await;
    let source = "arn:aws:s3:::notes";
    let permit = async || {
        let permission = json!({
            "FunctionName": "triggered", "StatementId": "s3", "Action": "lambda:InvokeFunction",
            "Principal": "s3.amazonaws.com", "SourceArn": source,
        });
        stage.app.admin().call("lambda", "AddPermission", permission).await.ok();
    };
    let queue = async |payload: &'static str| {
        let on = On {
            service: "s3.amazonaws.com",
            source_arn: Arn::parse(source).expect("an ARN"),
            source_account: Account::from_number(123_456_789_012),
            depth: 0,
        };
        let invocation = Invocation {
            function_arn: "arn:aws:lambda:us-east-1:123456789012:function:triggered".to_owned(),
            payload: payload.into(),
            kind: InvokeKind::Event,
            trace_id: None,
        };
        stage.lambda.invoke(on, invocation).await
    };
    assert!(matches!(queue("1").await, Err(InvokeRefused::NotPermitted)));
    permit().await;
    queue("2").await.expect("permitted");
    let removal = json!({"FunctionName": "triggered", "StatementId": "s3"});
    stage.app.admin().call("lambda", "RemovePermission", removal).await.ok();
    stage.lambda.start();
    stage.queue_is_empty().await;
    permit().await;
    queue("3").await.expect("permitted");
    let lines = stage.logs.of("triggered", |lines| lines.iter().any(|line| line == "event 3")).await;
    assert!(!lines.iter().any(|line| line == "event 1" || line == "event 2"), "{lines:?}");
}

pub(crate) async fn a_service_invokes_only_for_the_source_it_was_allowed_for() {
    let stage = Stage::new().await;
    let code = "exports.handler = async (event) => event";
    stage.create("guarded", "nodejs20.x", "index.js", code, json!({})).await;
    let permission = json!({
        "FunctionName": "guarded", "StatementId": "gateway", "Action": "lambda:InvokeFunction",
        "Principal": "apigateway.amazonaws.com",
        "SourceArn": "arn:aws:execute-api:us-east-1:123456789012:api/*/GET/notes",
        "SourceAccount": "123456789012",
    });
    let ask = async |source: &str, account: u64| {
        let on = On {
            service: "apigateway.amazonaws.com",
            source_arn: Arn::parse(source).expect("an ARN"),
            source_account: Account::from_number(account),
            depth: 0,
        };
        let invocation = Invocation {
            function_arn: "arn:aws:lambda:us-east-1:123456789012:function:guarded".to_owned(),
            payload: "7".into(),
            kind: InvokeKind::RequestResponse,
            trace_id: None,
        };
        stage.lambda.invoke(on, invocation).await
    };
    let right = "arn:aws:execute-api:us-east-1:123456789012:api/prod/GET/notes";
    assert!(matches!(ask(right, 123_456_789_012).await, Err(InvokeRefused::NotPermitted)));
    stage.app.admin().call("lambda", "AddPermission", permission).await.ok();
    assert_eq!(ask(right, 123_456_789_012).await.expect("permitted").payload, "7");
    let other = "arn:aws:execute-api:us-east-1:123456789012:other/prod/GET/notes";
    assert!(matches!(ask(other, 123_456_789_012).await, Err(InvokeRefused::NotPermitted)));
    assert!(matches!(ask(right, 999_999_999_999).await, Err(InvokeRefused::NotPermitted)));
}

pub(crate) async fn a_functions_own_calls_tell_how_deep_they_are() {
    let stage = Stage::new().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("listen");
    stage.lambda.set_endpoint(listener.local_addr().expect("address"));
    let heard = Arc::new(Mutex::new(Vec::new()));
    let keep = heard.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut bytes = vec![0; 4_096];
            let n = stream.read(&mut bytes).await.unwrap_or(0);
            keep.lock().expect("lock").push(String::from_utf8_lossy(&bytes[..n]).to_lowercase());
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello";
            stream.write_all(answer).await.ok();
        }
    });
    let code = "export const handler = async () => {
        const url = process.env.AWS_ENDPOINT_URL + '/path?query=1'
        const answer = await fetch(url, { headers: { 'x-homeport-depth': '0' } })
        return answer.text()
    }";
    stage.create("calls", "nodejs20.x", "index.mjs", code, json!({})).await;
    assert_eq!(stage.invoke("calls", json!({})).await.ok().text(), "\"hello\"");
    let heard = heard.lock().expect("lock").join("\n");
    assert!(heard.starts_with("get /path?query=1 http/1.1"), "{heard}");
    assert_eq!(heard.matches("x-homeport-depth").count(), 1, "{heard}");
    assert!(heard.contains("x-homeport-depth: 1"), "{heard}");
}
