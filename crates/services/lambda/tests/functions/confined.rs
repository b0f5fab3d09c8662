use serde_json::json;

use crate::stage::Stage;

const REACHES: &str = r#"
import os, socket
def tried(attempt):
    try:
        return repr(attempt())
    except OSError:
        return None
def connect(port):
    with socket.create_connection(("127.0.0.1", port), timeout=1):
        return "connected"
def handler(event, context):
    return [
        tried(lambda: open(event["store"]).read()),
        tried(lambda: os.listdir(event["data"])),
        tried(lambda: open(event["neighbour"]).read()),
        tried(lambda: open(f"/proc/{event['pid']}/environ", "rb").read()),
        tried(lambda: connect(event["port"])),
        tried(lambda: open("/var/task/index.py", "a").write("x")),
    ]
"#;

pub(crate) async fn a_function_reaches_nothing_of_homeports() {
    let stage = Stage::new().await;
    let secret = "exports.handler = async () => new Promise((resolve) => setTimeout(resolve, 100, 'mine'))";
    stage.create("neighbour", "nodejs20.x", "index.js", secret, json!({})).await;
    stage.invoke("neighbour", json!({})).await.ok();
    let unpacked = stage.folder.join("data/functions/code");
    let neighbour = std::fs::read_dir(&unpacked)
        .expect("unpacked")
        .flatten()
        .next()
        .expect("one")
        .path()
        .join("index.js");
    assert!(neighbour.exists());
    let console = std::net::TcpListener::bind("127.0.0.1:0").expect("listen");
    stage.create("reaches", "python3.11", "index.py", REACHES, json!({})).await;
    let event = json!({
        "store": stage.folder.join("data/store"),
        "data": stage.folder.join("data"),
        "neighbour": neighbour,
        "pid": std::process::id(),
        "port": console.local_addr().expect("address").port(),
    });
    let reached = stage.invoke("reaches", event).await.ok().json();
    assert_eq!(reached, json!([null, null, null, null, null, null]));
}

const GOES_OUT: &str = r#"
import http.client, os, urllib.error, urllib.request
def get(url):
    try:
        return urllib.request.urlopen(url, timeout=5).read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code
def tunnel(host):
    proxy = os.environ["HTTPS_PROXY"].removeprefix("http://")
    connection = http.client.HTTPConnection(proxy, timeout=5)
    connection.set_tunnel(host, 443)
    try:
        connection.request("GET", "/secret")
        return connection.getresponse().read().decode()
    except OSError as refused:
        return str(refused)
def handler(event, context):
    return [get("http://allowed.example/path?q"), get("http://169.254.169.254/"),
            tunnel("allowed.example"), tunnel("10.0.0.1")]
"#;

pub(crate) async fn the_way_out_is_the_guarded_connectors() {
    let stage = Stage::new().await;
    stage.create("out", "python3.11", "index.py", GOES_OUT, json!({"Timeout": 20})).await;
    let found = stage.invoke("out", json!({})).await.ok().json();
    let expected = json!([
        "GET /path?q HTTP/1.1",
        403,
        "GET /secret HTTP/1.1",
        "Tunnel connection failed: 403 Forbidden"
    ]);
    assert_eq!(found, expected);
    let node = "import http from 'node:http'
        const old = () => new Promise((resolve, reject) => http.get('http://allowed.example/old', (answer) => {
            answer.on('data', (bytes) => resolve(String(bytes)))
        }).on('error', reject))
        const said = async (url) => (await fetch(url)).text()
        export const handler = async () => [
            await said('http://allowed.example/new'),
            await old(),
            await said('http://10.0.0.1/').catch((error) => error.cause.message),
        ]";
    stage.create("node", "nodejs20.x", "index.mjs", node, json!({"Timeout": 20})).await;
    let found = stage.invoke("node", json!({})).await.ok().json();
    let refused = "10.0.0.1:80 is not reachable from this function (403)";
    assert_eq!(found, json!(["GET /new HTTP/1.1", "GET /old HTTP/1.1", refused]));
}

pub(crate) async fn environment_variables_are_nowhere_in_plain_text() {
    let stage = Stage::new().await;
    let variables = json!({"Environment": {"Variables": {"PASSWORD": "planted-password"}}});
    let code = "import os\ndef handler(event, context):\n    return os.environ['PASSWORD']\n";
    stage.create("secret", "python3.11", "index.py", code, variables).await;
    stage.app.admin().call("lambda", "PublishVersion", json!({"FunctionName": "secret"})).await.ok();
    assert_eq!(stage.invoke("secret:1", json!({})).await.ok().text(), "\"planted-password\"");
    let shown = stage
        .app
        .admin()
        .call("lambda", "GetFunctionConfiguration", json!({"FunctionName": "secret"}))
        .await
        .ok();
    assert_eq!(shown.json()["Environment"]["Variables"]["PASSWORD"], "planted-password");
    for (key, value) in stage.app.rows().await {
        let row = [&key[..], &value[..]].concat();
        assert!(
            !row.windows(16).any(|part| part == b"planted-password"),
            "{}",
            String::from_utf8_lossy(&key)
        );
    }
}
