//! What reading costs in a folder of ten thousand items, and in the same one with many more.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use homeport_demo::{Aws, Keys};
use serde_json::{Value, json};

use crate::Outcome;
use crate::load::{Connection, Load, signed_json};
use crate::process::{Program, Server};
use crate::table::Table;
use crate::wrk;

const CONNECTIONS: usize = 64;
/// Connections that put items in.
const LANES: usize = 32;
const FEW: u64 = 10_000;
const MANY: u64 = 1_000_000;
const MANY_IN_FULL: u64 = 10_000_000;
/// Items of one partition: what a query reads.
const PARTITION: u64 = 20;
/// Items of one batch, the most there may be.
const BATCH: u64 = 25;
/// Different requests of each kind. Which items they ask for is told by steps of a number that has no divisor in common
/// with how many there are.
const REQUESTS: u64 = 20_000;
const STEP: u64 = 61_803_399;
/// So much longer may it take among many.
const TARGET: f64 = 1.5;
/// And so much memory the server may have then, in MiB.
const MEMORY_TARGET: f64 = 512.0;

/// A server that uses less of a core than this, in a look this long, does nothing.
const IDLE: f64 = 0.05;
const LOOK: Duration = Duration::from_secs(2);
const SETTLES_WITHIN: Duration = Duration::from_secs(600);

const KINDS: [&str; 2] = ["GetItem", "Query"];

pub(crate) async fn measure(program: &Program, table: &mut Table, full: bool) -> Outcome<()> {
    if !wrk::is_installed() {
        table.figure("reading among many items", "-", "skipped", "there is no wrk");
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let server = program.serve(&data).await?;
    let keys = Arc::new(program.keys(&data)?);
    create_table(&server.anyone().with((*keys).clone())).await?;
    let many = if full { MANY_IN_FULL } else { MANY };
    fill(&server, &keys, 0..FEW).await?;
    settle(&server).await;
    let before = all(&server, &keys, FEW).await?;
    let begun = Instant::now();
    fill(&server, &keys, FEW..many).await?;
    let seconds = begun.elapsed().as_secs_f64();
    let rate = format!("{:.0}/s", (many - FEW) as f64 / seconds);
    let memory = format!("{:.0} MiB after {} items in {seconds:.0} s", server.resident_mib(), many - FEW);
    table.figure("items of 400 bytes put in by 25", "-", &rate, &memory);
    let settled = settle(&server).await;
    table.figure("until its files are merged", "-", &format!("{:.0} s", settled.as_secs_f64()), "");
    let after = all(&server, &keys, many).await?;
    for ((kind, few), many) in KINDS.iter().zip(before).zip(after) {
        let beside = format!("{}; of 10k {}", many.summary(), few.summary());
        let what = format!("{kind} among {}: time of among 10k", size(full));
        table.at_most(&what, TARGET, few.per_second() / many.per_second(), &beside);
    }
    let memory = server.resident_mib();
    table.figure("memory then", &format!("< {MEMORY_TARGET:.0} MiB"), &format!("{memory:.0} MiB"), "");
    Ok(())
}

fn size(full: bool) -> &'static str {
    if full { "10M" } else { "1M" }
}

/// Waits until the server does nothing: what was put in last is merged behind the answers.
async fn settle(server: &Server) -> Duration {
    let begun = Instant::now();
    loop {
        let before = server.cpu_seconds();
        tokio::time::sleep(LOOK).await;
        let used = server.cpu_seconds() - before;
        if used < IDLE * LOOK.as_secs_f64() || begun.elapsed() > SETTLES_WITHIN {
            return begun.elapsed();
        }
    }
}

async fn create_table(admin: &Aws) -> Outcome<()> {
    let table = json!({
        "TableName": "many", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"}, {"AttributeName": "r", "AttributeType": "N"}],
        "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "r", "KeyType": "RANGE"}],
    });
    admin.json("dynamodb", "DynamoDB_20120810.CreateTable", table).await?;
    Ok(())
}

fn owner(number: u64) -> String {
    format!("owner-{}", number / PARTITION)
}

fn key(number: u64) -> Value {
    json!({"p": {"S": owner(number)}, "r": {"N": (number % PARTITION).to_string()}})
}

/// An item of 400 bytes, as DynamoDB counts them.
fn item(number: u64) -> Value {
    let mut item = key(number);
    let rest = 400 - 9 - owner(number).len() - 3;
    let text: String = format!("note {number} ").chars().cycle().take(rest).collect();
    item["text"] = json!({"S": text});
    item
}

async fn fill(server: &Server, keys: &Arc<Keys>, numbers: std::ops::Range<u64>) -> Outcome<()> {
    let next = Arc::new(AtomicU64::new(numbers.start));
    let lanes = (0..LANES).map(|lane| {
        let (address, keys, next) = (server.address.clone(), keys.clone(), next.clone());
        tokio::spawn(async move {
            put_in(&address, &keys, lane, &next, numbers.end).await.map_err(|error| error.to_string())
        })
    });
    for lane in lanes.collect::<Vec<_>>() {
        lane.await??;
    }
    Ok(())
}

/// One lane's part: batches until all numbers are taken.
async fn put_in(address: &str, keys: &Keys, lane: usize, next: &AtomicU64, end: u64) -> Outcome<()> {
    let mut connection = Connection::open(address, lane).await?;
    loop {
        let first = next.fetch_add(BATCH, Ordering::Relaxed);
        if first >= end {
            return Ok(());
        }
        let puts: Vec<Value> = (first..end.min(first + BATCH))
            .map(|number| json!({"PutRequest": {"Item": item(number)}}))
            .collect();
        let body = json!({"RequestItems": {"many": puts}}).to_string();
        let request = signed_json(address, keys, "dynamodb", "DynamoDB_20120810.BatchWriteItem", &body)?;
        connection.send(&request).await?;
    }
}

async fn all(server: &Server, keys: &Keys, there: u64) -> Outcome<Vec<Load>> {
    let mut loads = Vec::new();
    for kind in KINDS {
        let requests = (0..REQUESTS).map(|at| request(kind, &server.address, keys, at * STEP % there));
        let requests = requests.collect::<Outcome<Vec<Bytes>>>()?;
        check(kind, &Connection::open(&server.address, 0).await?.send(&requests[1]).await?)?;
        loads.push(wrk::over_and_over(server, CONNECTIONS, &requests).await?);
    }
    Ok(loads)
}

fn request(kind: &str, address: &str, keys: &Keys, number: u64) -> Outcome<Bytes> {
    let body = match kind {
        "GetItem" => json!({"TableName": "many", "Key": key(number)}),
        _ => json!({
            "TableName": "many", "KeyConditionExpression": "p = :p",
            "ExpressionAttributeValues": {":p": {"S": owner(number)}},
        }),
    };
    signed_json(address, keys, "dynamodb", &format!("DynamoDB_20120810.{kind}"), &body.to_string())
}

/// An answer holds what was asked for.
fn check(kind: &str, answer: &[u8]) -> Outcome<()> {
    let said: Value = serde_json::from_slice(answer)?;
    let found = match kind {
        "GetItem" => said["Item"].is_object(),
        _ => said["Count"].as_u64() == Some(PARTITION),
    };
    if found { Ok(()) } else { Err(format!("not found: {said}").into()) }
}
