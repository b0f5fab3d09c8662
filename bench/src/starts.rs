//! From exec to a signed answer, and resident memory.

use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::Outcome;
use crate::items::{create_table, item};
use crate::load::{once_each, signed_json};
use crate::process::{Place, Program, Server};
use crate::table::Table;

const ITEMS: usize = 100_000;
/// Items to a `BatchWriteItem`, as many as it takes.
const BATCH: usize = 25;

pub(crate) async fn measure(program: &Program, table: &mut Table) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let (mut server, took) = start(program, &data).await?;
    table.figure("exec to a signed answer, new folder", "-", &millis(took), "");
    tokio::time::sleep(Duration::from_secs(2)).await;
    table.figure("resident memory, idle and empty", "< 40 MiB", &mib(&server), "");
    server.kill();
    let (mut server, took) = start(program, &data).await?;
    table.figure("exec to a signed answer, empty", "< 100 ms", &millis(took), "");
    fill(program, &server, &data).await?;
    table.figure("resident memory after 100,000 items", "-", &mib(&server), "");
    server.kill();
    let (server, took) = start(program, &data).await?;
    table.figure("exec to a signed answer, 100,000 items, killed", "< 100 ms", &millis(took), "");
    tokio::time::sleep(Duration::from_secs(2)).await;
    table.figure("resident memory, idle with 100,000 items", "-", &mib(&server), "");
    Ok(())
}

fn millis(took: Duration) -> String {
    format!("{:.0} ms", took.as_secs_f64() * 1e3)
}

fn mib(server: &Server) -> String {
    format!("{:.0} MiB", server.resident_mib())
}

/// Starts on a folder and asks at once, over and over.
async fn start(program: &Program, data: &Path) -> Outcome<(Server, Duration)> {
    let begun = Instant::now();
    let server = program.exec(&Place::of(data))?;
    let aws = server.anyone();
    while server.ask(&aws).await.is_err() {
        if begun.elapsed() > Duration::from_secs(30) {
            return Err("homeport did not answer in time".into());
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Ok((server, begun.elapsed()))
}

async fn fill(program: &Program, server: &Server, data: &Path) -> Outcome<()> {
    let keys = program.keys(data)?;
    create_table(&server.anyone().with(keys.clone())).await?;
    let batch = |first: usize| -> Outcome<Bytes> {
        let puts: Vec<String> =
            (first..first + BATCH).map(|id| format!(r#"{{"PutRequest":{{"Item":{}}}}}"#, item(id))).collect();
        let body = format!(r#"{{"RequestItems":{{"bench":[{}]}}}}"#, puts.join(","));
        signed_json(&server.address, &keys, "dynamodb", "DynamoDB_20120810.BatchWriteItem", &body)
    };
    let batches = (0..ITEMS).step_by(BATCH).map(batch).collect::<Outcome<Vec<_>>>()?;
    once_each(server, 16, &batches, None).await?;
    Ok(())
}
