//! A warm function on Node, invoked through Lambda and in a plain Node server.

use std::io::Write;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::Outcome;
use crate::load::{over_and_over, request, signed};
use crate::process::{Program, Server, free_address};
use crate::table::Table;

const CONNECTIONS: usize = 2;
const HANDLER: &str =
    "exports.handler = async (event) => ({ greeting: `Hello, ${event.name}`, length: event.name.length });\n";
const PLAIN: &str = "
const { handler } = require(process.argv[2]);
require('http').createServer((request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', async () => {
    const body = Buffer.from(JSON.stringify(await handler(JSON.parse(Buffer.concat(parts)))));
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
    response.end(body);
  });
}).listen(Number(process.argv[3]), '127.0.0.1');
";

pub(crate) async fn measure(program: &Program, table: &mut Table) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let server = program.serve(&data).await?;
    let keys = program.keys(&data)?;
    let admin = server.anyone().with(keys.clone());
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
    let role = [("RoleName", "bench"), ("AssumeRolePolicyDocument", &trust.to_string())];
    let role = admin.query("iam", "2010-05-08", "CreateRole", &role).await?;
    let arn = role.split_once("<Arn>").and_then(|(_, rest)| rest.split_once("</Arn>")).ok_or("no role")?.0;
    let function = json!({"FunctionName": "bench", "Runtime": "nodejs22.x", "Handler": "index.handler", "Role": arn,
        "Code": {"ZipFile": STANDARD.encode(package()?)}});
    admin.rest("lambda", "POST", "/2015-03-31/functions", Some(function)).await?;

    let body = br#"{"name":"Ada"}"#;
    let target = "/2015-03-31/functions/bench/invocations";
    let headers = [("content-type", "application/json")];
    let call = signed(&server.address, &keys, "lambda", target, &headers, body)?;
    let ours = over_and_over(&server, CONNECTIONS, &vec![call; CONNECTIONS]).await?;
    let plain = plain(program, folder.path()).await?;
    let call = request(&plain.address, "POST", "/", &headers, body);
    let peer = over_and_over(&plain, CONNECTIONS, &vec![call; CONNECTIONS]).await?;
    table.by_cpu("Invoke, warm: CPU of a plain Node server", None, &ours, &peer);
    Ok(())
}

fn package() -> Outcome<Vec<u8>> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("index.js", zip::write::SimpleFileOptions::default().unix_permissions(0o644))?;
    zip.write_all(HANDLER.as_bytes())?;
    Ok(zip.finish()?.into_inner())
}

async fn plain(program: &Program, folder: &Path) -> Outcome<Server> {
    let (handler, server) = (folder.join("handler.js"), folder.join("plain.js"));
    std::fs::write(&handler, HANDLER)?;
    std::fs::write(&server, PLAIN)?;
    let address = free_address()?;
    let port = address.rsplit(':').next().unwrap_or_default();
    let child = program.on_server_cores(Path::new("node")).arg(&server).arg(&handler).arg(port).spawn()?;
    let server = Server::of(child, address);
    for _ in 0..500 {
        if tokio::net::TcpStream::connect(&server.address).await.is_ok() {
            return Ok(server);
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    Err("node did not start".into())
}
