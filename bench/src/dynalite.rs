//! DynamoDB beside dynalite, by the same requests: Homeport's are checked, judged and durable, dynalite keeps all in
//! memory and checks no signature. And a hot counter, which many add to at once.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use homeport_demo::{Aws, Keys};
use serde_json::{Value, json};

use crate::Outcome;
use crate::load::{Load, signed_json};
use crate::process::{Program, Server, free_address};
use crate::table::Table;
use crate::wrk::{self, over_and_over};

const CONNECTIONS: usize = 64;
/// Items that are read, in partitions of twenty.
const ITEMS: usize = 2_000;
const PARTITION: usize = 20;
/// Different requests of a kind.
const REQUESTS: usize = 640;
/// Writes of one batch, and actions of one transaction.
const TOGETHER: usize = 5;
/// Additions a second to one item.
const COUNTER_TARGET: &str = ">= 2000/s";

/// What is compared, with what, and how many times dynalite's throughput it should have. dynalite has no transactions:
/// beside one is put the batch that writes the same items.
const KINDS: [(&str, &str, f64); 6] = [
    ("GetItem", "GetItem", 4.0),
    ("Query", "Query", 10.0),
    ("PutItem", "PutItem", 4.0),
    ("UpdateItem", "UpdateItem", 5.0),
    ("BatchWriteItem", "BatchWriteItem", 5.0),
    ("TransactWriteItems", "BatchWriteItem", 5.0),
];
/// Asked once more at the end: each item that it reads was written again and again lately.
const AGAIN: &str = "Query";

pub(crate) async fn measure(program: &Program, table: &mut Table) -> Outcome<()> {
    if !wrk::is_installed() {
        table.figure("DynamoDB beside dynalite", "-", "skipped", "there is no wrk");
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let server = program.serve(&data).await?;
    let keys = program.keys(&data)?;
    fill(&server.anyone().with(keys.clone())).await?;
    counter(&server, &keys, table).await?;
    let Some(installed) = installed() else {
        table.figure("beside dynalite", "-", "skipped", "npm couldn't install it");
        return Ok(());
    };
    let peer = start(program, &installed).await?;
    fill(&peer.anyone()).await?;
    for (kind, peers, target) in KINDS {
        let ours = over_and_over(&server, CONNECTIONS, &requests(kind, &server.address, &keys)?).await?;
        let theirs = over_and_over(&peer, CONNECTIONS, &requests(peers, &peer.address, &keys)?).await?;
        compare(table, kind, target, &ours, &theirs);
    }
    let again = over_and_over(&server, CONNECTIONS, &requests(AGAIN, &server.address, &keys)?).await?;
    table.figure(
        "Query of what was just written",
        "-",
        &format!("{:.0}/s", again.per_second()),
        &again.summary(),
    );
    let memory = format!("{:.0} MiB", server.resident_mib());
    table.figure(
        "resident memory after these",
        "-",
        &memory,
        &format!("dynalite {:.0} MiB", peer.resident_mib()),
    );
    Ok(())
}

fn compare(table: &mut Table, kind: &str, target: f64, ours: &Load, theirs: &Load) {
    let beside = format!("{}; dynalite {}", ours.summary(), theirs.summary());
    let what = format!("{kind}: of dynalite's throughput");
    table.ratio(&what, Some(target), ours.per_second() / theirs.per_second(), &beside);
}

/// Everybody adds one to the same item.
async fn counter(server: &Server, keys: &Keys, table: &mut Table) -> Outcome<()> {
    let body = json!({
        "TableName": "bench", "Key": key(0, 0), "UpdateExpression": "ADD n :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    });
    let request =
        signed_json(&server.address, keys, "dynamodb", "DynamoDB_20120810.UpdateItem", &body.to_string())?;
    let added = over_and_over(server, CONNECTIONS, &vec![request; CONNECTIONS]).await?;
    let value = format!("{:.0}/s", added.per_second());
    table.figure("ADD on one item from 64 clients", COUNTER_TARGET, &value, &added.summary());
    Ok(())
}

/// Where `bench/run.sh` put dynalite, if it could.
fn installed() -> Option<PathBuf> {
    let script = PathBuf::from(".tools/dynalite/node_modules/dynalite/cli.js");
    script.exists().then_some(script)
}

async fn start(program: &Program, script: &Path) -> Outcome<Server> {
    let address = free_address()?;
    let port = address.rsplit(':').next().unwrap_or_default().to_owned();
    let mut command = program.on_server_cores(Path::new("node"));
    command.arg(script).args(["--port", &port, "--createTableMs", "0", "--deleteTableMs", "0"]);
    let server = Server::of(command.spawn()?, address);
    for _ in 0..500 {
        if tokio::net::TcpStream::connect(&server.address).await.is_ok() {
            return Ok(server);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Err("dynalite did not start".into())
}

fn key(partition: usize, sort: usize) -> Value {
    json!({"p": {"S": format!("partition-{partition}")}, "r": {"N": sort.to_string()}})
}

/// An item of some 400 bytes.
fn item(partition: usize, sort: usize) -> Value {
    let mut item = key(partition, sort);
    item["n"] = json!({"N": "1"});
    item["text"] = json!({"S": "A note of a length that notes have. ".repeat(9)});
    item
}

/// The table and the items that are read.
async fn fill(aws: &Aws) -> Outcome<()> {
    let table = json!({
        "TableName": "bench", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"}, {"AttributeName": "r", "AttributeType": "N"}],
        "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "r", "KeyType": "RANGE"}],
    });
    aws.json("dynamodb", "DynamoDB_20120810.CreateTable", table).await?;
    for _ in 0..200 {
        let described =
            aws.json("dynamodb", "DynamoDB_20120810.DescribeTable", json!({"TableName": "bench"})).await?;
        if described["Table"]["TableStatus"] == "ACTIVE" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for partition in 0..ITEMS / PARTITION {
        let writes = |sorts: std::ops::Range<usize>| {
            let puts = sorts.map(|sort| json!({"PutRequest": {"Item": item(partition, sort)}}));
            json!({"RequestItems": {"bench": puts.collect::<Vec<_>>()}})
        };
        aws.json("dynamodb", "DynamoDB_20120810.BatchWriteItem", writes(0..PARTITION)).await?;
    }
    Ok(())
}

fn requests(kind: &str, address: &str, keys: &Keys) -> Outcome<Vec<Bytes>> {
    let target = format!("DynamoDB_20120810.{kind}");
    let body = |at: usize| {
        // Each connection has partitions of its own, so that none waits for another's write of the same item.
        let (partition, sort) = (at % CONNECTIONS, at % PARTITION);
        let several = (0..TOGETHER).map(|offset| item(partition, (sort + offset) % PARTITION));
        match kind {
            "GetItem" => json!({"TableName": "bench", "Key": key(partition, sort)}),
            "PutItem" => json!({"TableName": "bench", "Item": item(partition, sort)}),
            "UpdateItem" => json!({
                "TableName": "bench", "Key": key(partition, sort), "UpdateExpression": "SET n = n + :one",
                "ConditionExpression": "attribute_exists(p)", "ExpressionAttributeValues": {":one": {"N": "1"}},
            }),
            "Query" => json!({
                "TableName": "bench", "KeyConditionExpression": "p = :p", "Limit": PARTITION,
                "ExpressionAttributeValues": {":p": {"S": format!("partition-{partition}")}},
            }),
            "BatchWriteItem" => {
                let puts = several.map(|item| json!({"PutRequest": {"Item": item}}));
                json!({"RequestItems": {"bench": puts.collect::<Vec<_>>()}})
            }
            _ => {
                let puts = several.map(|item| json!({"Put": {"TableName": "bench", "Item": item}}));
                json!({"TransactItems": puts.collect::<Vec<_>>()})
            }
        }
    };
    (0..REQUESTS).map(|at| signed_json(address, keys, "dynamodb", &target, &body(at).to_string())).collect()
}
