//! Signed `GetItem` and `PutItem` by 64 connections.

use std::fs::File;
use std::io::{Seek, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use bytes::Bytes;
use homeport_demo::{Aws, Keys};
use serde_json::json;

use crate::load::{Connection, Load, SPAN, over_and_over, signed_json};
use crate::process::{Program, Server};
use crate::table::Table;
use crate::{Outcome, bare};

const CONNECTIONS: usize = 64;
/// Items that are read.
const ITEMS: usize = 1_000;
/// Different requests that write.
const WRITES: usize = 6_400;
/// Commits that wait for one flush where nothing can count flushes: half of the connections wait for the flush that
/// runs, half for the next.
const ASSUMED_GROUP: f64 = 32.0;
/// The bound's file, written round and round.
const BOUND_BYTES: usize = 32 << 20;

pub(crate) async fn measure(program: &Program, table: &mut Table) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let server = program.serve(&data).await?;
    let keys = program.keys(&data)?;
    let admin = server.anyone().with(keys.clone());
    create_table(&admin).await?;

    let puts = (0..WRITES).map(|id| put(&server, &keys, id)).collect::<Outcome<Vec<_>>>()?;
    let (wrote, flushes) = tokio::join!(over_and_over(&server, CONNECTIONS, &puts), flushes(&server));
    let (wrote, flushes) = (wrote?, flushes);
    let group = flushes.map_or(ASSUMED_GROUP, |flushes| (wrote.per_second() / flushes).max(1.0));
    let bound = bare_loop(&folder.path().join("bare"), group, item(0).len())?;
    let counted = if flushes.is_some() { "counted" } else { "assumed" };
    let beside =
        format!("{}; bare loop {bound:.0}/s with {group:.1} to a flush ({counted})", wrote.summary());
    table.ratio("PutItem, signed: of a write+fdatasync loop", Some(0.5), wrote.per_second() / bound, &beside);
    let puts_peer = bare::start(program, folder.path(), b"{}").await?;
    let peer = over_and_over(&puts_peer, CONNECTIONS, &puts).await?;
    table.by_cpu("PutItem, signed: CPU of a bare server", None, &wrote, &peer);

    let gets = (0..ITEMS).map(|id| get(&server, &keys, id)).collect::<Outcome<Vec<_>>>()?;
    let answer = Connection::open(&server.address, 0).await?.send(&gets[7]).await?;
    let read = over_and_over(&server, CONNECTIONS, &gets).await?;
    let peer = bare::start(program, folder.path(), &answer).await?;
    let peer: Load = over_and_over(&peer, CONNECTIONS, &gets).await?;
    table.by_cpu("GetItem, signed: CPU of a bare server", Some(0.5), &read, &peer);
    let memory = format!("{:.0} MiB", server.resident_mib());
    table.figure("resident memory after these", "-", &memory, "");
    Ok(())
}

/// The table that items are written to.
pub(crate) async fn create_table(admin: &Aws) -> Outcome<()> {
    let table = json!({
        "TableName": "bench", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    });
    admin.json("dynamodb", "DynamoDB_20120810.CreateTable", table).await?;
    Ok(())
}

/// An item of some 300 bytes.
pub(crate) fn item(id: usize) -> String {
    let text = "A note of a length that notes have. ".repeat(6);
    json!({"id": {"S": format!("item-{id}")}, "count": {"N": id.to_string()}, "text": {"S": text}})
        .to_string()
}

fn put(server: &Server, keys: &Keys, id: usize) -> Outcome<Bytes> {
    let body = format!(r#"{{"TableName":"bench","Item":{}}}"#, item(id));
    signed_json(&server.address, keys, "dynamodb", "DynamoDB_20120810.PutItem", &body)
}

fn get(server: &Server, keys: &Keys, id: usize) -> Outcome<Bytes> {
    let body = json!({"TableName": "bench", "Key": {"id": {"S": format!("item-{id}")}}}).to_string();
    signed_json(&server.address, keys, "dynamodb", "DynamoDB_20120810.GetItem", &body)
}

/// Flushes a second, by `perf` where it may look.
async fn flushes(server: &Server) -> Option<f64> {
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let pid = server.pid().to_string();
    let events = ["-e", "syscalls:sys_enter_fdatasync", "-e", "syscalls:sys_enter_fsync"];
    let mut counting = Command::new("perf");
    counting.args(["stat", "-x,"]).args(events).args(["-p", &pid, "sleep", "3"]);
    let counted = tokio::task::spawn_blocking(move || counting.stdout(Stdio::null()).output());
    let counted = counted.await.ok()?.ok().filter(|counted| counted.status.success())?;
    let text = String::from_utf8_lossy(&counted.stderr).into_owned();
    let number = |line: &str| line.split(',').next()?.parse::<f64>().ok();
    let counts: Vec<f64> =
        text.lines().filter(|line| line.contains("sys_enter_f")).filter_map(number).collect();
    let flushes = counts.iter().sum::<f64>() / 3.0;
    (flushes > 0.0).then_some(flushes)
}

/// Rows a second that one thread makes durable, with as many to a flush. The file has its length before, as the
/// store's journal has, so that a flush need not write the folder's record of it too.
fn bare_loop(path: &Path, group: f64, row: usize) -> Outcome<f64> {
    let mut file = File::create(path)?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at least one row, at most one a connection"
    )]
    let rows = vec![b'x'; (group * row as f64) as usize];
    file.write_all(&vec![0; BOUND_BYTES])?;
    file.sync_all()?;
    file.rewind()?;
    let mut at = 0;
    let begun = Instant::now();
    let mut flushes = 0.0;
    while begun.elapsed() < SPAN {
        if at + rows.len() > BOUND_BYTES {
            file.rewind()?;
            at = 0;
        }
        at += rows.len();
        file.write_all(&rows)?;
        file.sync_data()?;
        flushes += 1.0;
    }
    Ok(flushes * group / begun.elapsed().as_secs_f64())
}
