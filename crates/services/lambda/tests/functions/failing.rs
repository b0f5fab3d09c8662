use std::time::{Duration, Instant};

use homeport_lambda::Limits;
use serde_json::json;

use crate::stage::{Stage, header};

pub(crate) async fn what_a_handler_raises_is_told_as_aws_tells_it() {
    let stage = Stage::new().await;
    let python = "def handler(event, context):\n    return {}[event['key']]\n";
    stage.create("python", "python3.11", "index.py", python, json!({})).await;
    let reply = stage.invoke("python", json!({"key": "absent"})).await.ok();
    assert_eq!(header(&reply, "x-amz-function-error"), "Unhandled");
    let error = reply.json();
    assert_eq!((&error["errorType"], &error["errorMessage"]), (&json!("KeyError"), &json!("'absent'")));
    assert!(
        error["stackTrace"][0].as_str().is_some_and(|frame| frame.contains("index.py\", line 2, in handler")),
        "{error}"
    );

    let node = "class Odd extends Error { constructor (m) { super(m); this.name = 'Odd' } }
        exports.handler = async (event) => { if (event.odd) throw new Odd('very'); throw 'text' }";
    stage.create("node", "nodejs20.x", "index.js", node, json!({})).await;
    let error = stage.invoke("node", json!({"odd": true})).await.ok().json();
    assert_eq!((&error["errorType"], &error["errorMessage"]), (&json!("Odd"), &json!("very")));
    assert_eq!(error["trace"][0], "Odd: very");
    let error = stage.invoke("node", json!({})).await.ok().json();
    assert_eq!(error, json!({"errorType": "string", "errorMessage": "text", "trace": []}));
    stage
        .logs
        .of("python", |lines| {
            lines.iter().any(|line| line.starts_with("[ERROR] KeyError: 'absent'\rTraceback"))
        })
        .await;
}

pub(crate) async fn code_that_cannot_be_loaded_is_told_as_aws_tells_it() {
    let stage = Stage::new().await;
    let good = "def handler(event, context):\n    return 1\n";
    for (name, runtime, file, code, handler, kind, message) in [
        (
            "p1",
            "python3.11",
            "other.py",
            good,
            "index.handler",
            "Runtime.ImportModuleError",
            "Unable to import module 'index': No module named 'index'",
        ),
        (
            "p2",
            "python3.11",
            "index.py",
            good,
            "index.main",
            "Runtime.HandlerNotFound",
            "Handler 'main' missing on module 'index'",
        ),
        (
            "p3",
            "python3.11",
            "index.py",
            "def (",
            "index.handler",
            "Runtime.UserCodeSyntaxError",
            "Syntax error in module 'index'",
        ),
        (
            "n1",
            "nodejs20.x",
            "other.js",
            "",
            "index.handler",
            "Runtime.ImportModuleError",
            "Error: Cannot find module 'index'",
        ),
        (
            "n2",
            "nodejs20.x",
            "index.js",
            "exports.other = 1",
            "index.handler",
            "Runtime.HandlerNotFound",
            "index.handler is undefined or not exported",
        ),
        (
            "n3",
            "nodejs20.x",
            "index.mjs",
            "export const = 1",
            "index.handler",
            "Runtime.UserCodeSyntaxError",
            "SyntaxError",
        ),
    ] {
        stage.create(name, runtime, file, code, json!({"Handler": handler})).await;
        let reply = stage.invoke(name, json!({})).await.ok();
        assert_eq!(header(&reply, "x-amz-function-error"), "Unhandled", "{name}");
        let error = reply.json();
        assert_eq!(error["errorType"], kind, "{name}: {error}");
        assert!(error["errorMessage"].as_str().is_some_and(|text| text.contains(message)), "{name}: {error}");
    }
}

pub(crate) async fn a_function_that_takes_too_long_is_ended_with_its_children() {
    let stage = Stage::new().await;
    let code = "import os, subprocess, time
calls = 0
def handler(event, context):
    global calls
    calls += 1
    if event.get('long'):
        subprocess.Popen(['sleep', '61.25'], start_new_session=True)
        print('before the pause')
        time.sleep(60)
    return calls";
    stage.create("long", "python3.11", "index.py", code, json!({"Timeout": 1})).await;
    assert_eq!(stage.invoke("long", json!({})).await.ok().text(), "1");
    let begun = Instant::now();
    let reply = stage.invoke("long", json!({"long": true})).await.ok();
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(header(&reply, "x-amz-function-error"), "Unhandled");
    let error = reply.json();
    assert_eq!(error["errorType"], "Sandbox.Timedout");
    let id = header(&reply, "x-amzn-requestid");
    assert_eq!(error["errorMessage"], format!("RequestId: {id} Error: Task timed out after 1.00 seconds"));
    assert_eq!(stage.invoke("long", json!({})).await.ok().text(), "1", "a new environment");
    let ended = |lines: &[String]| lines.iter().position(|line| line.contains("Task timed out"));
    let lines = stage.logs.of("long", |lines| ended(lines).is_some()).await;
    let printed = lines.iter().position(|line| line.trim_end() == "before the pause");
    assert!(printed.is_some() && printed < ended(&lines), "{lines:?}");
    for _ in 0..100 {
        if !runs("61.25") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the child outlived the timeout");
}

pub(crate) async fn a_package_may_be_loaded_for_as_long_as_its_function_may_run() {
    let stage = Stage::with(Limits { free_init: Duration::from_millis(500), ..Limits::default() }).await;
    let code = "import time
time.sleep(1.5)
def handler(event, context):
    return 'loaded'";
    stage.create("patient", "python3.11", "index.py", code, json!({"Timeout": 10})).await;
    assert_eq!(stage.invoke("patient", json!({})).await.ok().text(), "\"loaded\"");
    stage.create("hurried", "python3.11", "index.py", code, json!({"Timeout": 1})).await;
    let reply = stage.invoke("hurried", json!({})).await.ok();
    assert_eq!(reply.json()["errorType"], "Sandbox.Timedout");
}

fn runs(argument: &str) -> bool {
    let lines = std::fs::read_dir("/proc").expect("/proc").flatten();
    lines
        .filter_map(|process| std::fs::read(process.path().join("cmdline")).ok())
        .any(|line| String::from_utf8_lossy(&line).split('\0').any(|part| part == argument))
}

pub(crate) async fn a_function_that_exits_is_told_so_and_started_again() {
    let stage = Stage::new().await;
    let code = "import os\ndef handler(event, context):\n    if 'status' in event: os._exit(event['status'])\n    return 'fine'\n";
    stage.create("exits", "python3.11", "index.py", code, json!({})).await;
    for (status, says) in
        [(3, "Runtime exited with error: exit status 3"), (0, "Runtime exited without providing a reason")]
    {
        let error = stage.invoke("exits", json!({"status": status})).await.ok().json();
        assert_eq!(error["errorType"], "Runtime.ExitError", "{error}");
        assert!(error["errorMessage"].as_str().is_some_and(|text| text.ends_with(says)), "{error}");
        assert_eq!(stage.invoke("exits", json!({})).await.ok().text(), "\"fine\"");
    }
}

pub(crate) async fn a_function_that_takes_too_much_memory_is_ended() {
    let stage = Stage::new().await;
    let code = "import os, time
def handler(event, context):
    held = []
    for _ in range(event['megabytes']):
        held.append(os.urandom(1 << 20))
        time.sleep(0.005)
    time.sleep(0.5)
    return len(held)";
    stage.create("hog", "python3.11", "index.py", code, json!({"Timeout": 30})).await;
    assert_eq!(stage.invoke("hog", json!({"megabytes": 20})).await.ok().text(), "20");
    let error = stage.invoke("hog", json!({"megabytes": 200})).await.ok().json();
    assert_eq!(error["errorType"], "Runtime.OutOfMemory", "{error}");
}

pub(crate) async fn an_answer_that_is_too_long_is_an_error() {
    let stage = Stage::new().await;
    let python = "def handler(event, context):\n    return 'x' * event['n']\n";
    let node = "exports.handler = async (event) => 'x'.repeat(event.n)";
    for (name, runtime, file, code) in
        [("py", "python3.11", "index.py", python), ("js", "nodejs20.x", "index.js", node)]
    {
        stage.create(name, runtime, file, code, json!({})).await;
        let error = stage.invoke(name, json!({"n": 6_400_000})).await.ok().json();
        assert_eq!(error["errorType"], "Function.ResponseSizeTooLarge", "{name}: {error}");
        assert_eq!(stage.invoke(name, json!({"n": 1})).await.ok().text(), "\"x\"", "{name}");
        assert_eq!(stage.invoke(name, json!({"n": 6_000_000})).await.ok().text().len(), 6_000_002, "{name}");
    }
}

pub(crate) async fn a_chain_of_invocations_ends() {
    use homeport_core::{Account, Arn};
    use homeport_service::needs::{
        Invocation, Invoke as _, InvokeKind, InvokeRefused, MAX_INVOCATION_DEPTH, On,
    };

    let stage = Stage::new().await;
    stage.create("deep", "nodejs20.x", "index.js", "exports.handler = async () => 1", json!({})).await;
    let permission = json!({
        "FunctionName": "deep", "StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com",
    });
    stage.app.admin().call("lambda", "AddPermission", permission).await.ok();
    let ask = async |depth| {
        let on = On {
            service: "s3.amazonaws.com",
            source_arn: Arn::parse("arn:aws:s3:::bucket").expect("an ARN"),
            source_account: Account::from_number(123_456_789_012),
            depth,
        };
        let invocation = Invocation {
            function_arn: "arn:aws:lambda:us-east-1:123456789012:function:deep".to_owned(),
            payload: "{}".into(),
            kind: InvokeKind::RequestResponse,
            trace_id: None,
        };
        stage.lambda.invoke(on, invocation).await
    };
    assert!(ask(MAX_INVOCATION_DEPTH - 1).await.is_ok());
    assert!(matches!(ask(MAX_INVOCATION_DEPTH).await, Err(InvokeRefused::TooDeep)));
}
