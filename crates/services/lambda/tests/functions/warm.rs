use std::time::Duration;

use homeport_lambda::Limits;
use serde_json::json;

use crate::stage::{Stage, zip};

const COUNTS: &str = "let calls = 0\nexports.handler = async () => { calls += 1; return calls }";

pub(crate) async fn an_environment_is_reused_until_the_function_changes() {
    let stage = Stage::new().await;
    stage.create("counts", "nodejs20.x", "index.js", COUNTS, json!({})).await;
    for call in 1..=3 {
        assert_eq!(stage.invoke("counts", json!({})).await.ok().text(), call.to_string());
    }
    let changed = json!({"FunctionName": "counts", "Environment": {"Variables": {"AB": "1"}}});
    stage.app.admin().call("lambda", "UpdateFunctionConfiguration", changed).await.ok();
    assert_eq!(stage.invoke("counts", json!({})).await.ok().text(), "1");
    let code =
        json!({"FunctionName": "counts", "ZipFile": zip("index.js", "exports.handler = async () => 'new'")});
    stage.app.admin().call("lambda", "UpdateFunctionCode", code).await.ok();
    assert_eq!(stage.invoke("counts", json!({})).await.ok().text(), "\"new\"");
    stage.app.admin().call("lambda", "DeleteFunction", json!({"FunctionName": "counts"})).await.ok();
    stage.invoke("counts", json!({})).await.refused("ResourceNotFoundException", 404);
}

pub(crate) async fn functions_never_share_an_environment() {
    let stage = Stage::new().await;
    let code = "const fs = require('fs')
        exports.handler = async (event) => {
            const seen = fs.existsSync('/tmp/mark')
            fs.writeFileSync('/tmp/mark', 'x')
            return { seen, pid: process.pid, uid: process.getuid() }
        }";
    for name in ["one", "two"] {
        stage.create(name, "nodejs20.x", "index.js", code, json!({})).await;
    }
    let one = stage.invoke("one", json!({})).await.ok().json();
    let two = stage.invoke("two", json!({})).await.ok().json();
    assert_eq!((&one["seen"], &two["seen"]), (&json!(false), &json!(false)));
    assert_eq!(stage.invoke("one", json!({})).await.ok().json()["seen"], true);
    stage.app.admin().call("lambda", "PublishVersion", json!({"FunctionName": "one"})).await.ok();
    assert_eq!(stage.invoke("one:1", json!({})).await.ok().json()["seen"], false, "nor do versions");
}

pub(crate) async fn a_published_version_stays_as_it_was() {
    let stage = Stage::new().await;
    let version = |n: u32| format!("exports.handler = async () => {n}");
    stage.create("kept", "nodejs20.x", "index.js", &version(1), json!({"Publish": true})).await;
    let code = json!({"FunctionName": "kept", "ZipFile": zip("index.js", &version(2))});
    stage.app.admin().call("lambda", "UpdateFunctionCode", code).await.ok();
    let answers = async |name: &str| stage.invoke(name, json!({})).await.ok().text();
    assert_eq!(
        (answers("kept:1").await, answers("kept").await, answers("kept:$LATEST").await),
        ("1".into(), "2".into(), "2".into())
    );
    let published =
        stage.app.admin().call("lambda", "PublishVersion", json!({"FunctionName": "kept"})).await.ok();
    assert_eq!(published.json()["Version"], "2");
    let again =
        stage.app.admin().call("lambda", "PublishVersion", json!({"FunctionName": "kept"})).await.ok();
    assert_eq!(again.json()["Version"], "2", "nothing changed");
    stage.invoke("kept:3", json!({})).await.refused("ResourceNotFoundException", 404);
}

pub(crate) async fn who_waits_for_a_turn_runs_what_the_function_is_then() {
    let limits = Limits { environments: 1, ..Limits::default() };
    let stage = Stage::with(limits).await;
    let slow =
        "exports.handler = async () => new Promise((resolve) => setTimeout(() => resolve('slow'), 1500))";
    stage.create("slow", "nodejs20.x", "index.js", slow, json!({})).await;
    for name in ["updated", "deleted"] {
        stage.create(name, "nodejs20.x", "index.js", "exports.handler = async () => 'old'", json!({})).await;
    }
    let change = async || {
        // By now the one place is the slow function's, and the others wait for it.
        tokio::time::sleep(Duration::from_millis(700)).await;
        let new = zip("index.js", "exports.handler = async () => 'new'");
        let admin = stage.app.admin();
        let code = json!({"FunctionName": "updated", "ZipFile": new});
        admin.call("lambda", "UpdateFunctionCode", code).await.ok();
        admin.call("lambda", "DeleteFunction", json!({"FunctionName": "deleted"})).await.ok();
    };
    let waiting = async |name: &str| {
        tokio::time::sleep(Duration::from_millis(300)).await;
        stage.invoke(name, json!({})).await
    };
    let (slow, updated, deleted, ()) =
        tokio::join!(stage.invoke("slow", json!({})), waiting("updated"), waiting("deleted"), change());
    assert_eq!((slow.ok().text(), updated.ok().text()), ("\"slow\"".to_owned(), "\"new\"".to_owned()));
    deleted.refused("ResourceNotFoundException", 404);
}

pub(crate) async fn too_many_at_a_time_are_refused() {
    let limits =
        Limits { per_function: 2, waiting: 1, patience: Duration::from_millis(200), ..Limits::default() };
    let stage = Stage::with(limits).await;
    let code = "exports.handler = async () => new Promise((resolve) => setTimeout(() => resolve(process.pid), 1000))";
    stage.create("slow", "nodejs20.x", "index.js", code, json!({})).await;
    let ask = || stage.invoke("slow", json!({}));
    let (a, b, c, d) = tokio::join!(ask(), ask(), ask(), ask());
    let statuses = [a.status, b.status, c.status, d.status];
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 2, "{statuses:?}");
    for refused in [a, b, c, d].into_iter().filter(|reply| reply.status != 200) {
        let reason = refused.json()["Reason"].clone();
        refused.refused("TooManyRequestsException", 429);
        assert_eq!(reason, "ConcurrentInvocationLimitExceeded");
    }
    stage.invoke("slow", json!({})).await.ok();
}
