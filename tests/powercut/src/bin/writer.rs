//! The program that is killed: `write FOLDER` writes to a store and says that it is open, then what was
//! acknowledged;
//! `check FOLDER` reads what was said and looks whether the store kept it.

use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::path::Path;
use std::process::ExitCode;

use bytes::Bytes;
use homeport_store::{Counted, Direction, EmbeddedOptions, Key, KeyParts, Part, Range, Store, StoreError};

const CLIENTS: u64 = 8;
const PARTS: u64 = 4;

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [_, "write", folder] => write(Path::new(folder)).await,
        [_, "check", folder] => check(Path::new(folder)).await,
        _ => Err("usage: powercut-writer write|check FOLDER".into()),
    };
    outcome.map_or_else(
        |error| {
            eprintln!("{error}");
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}

/// Little memory, so that files are made and merged all the time.
async fn open(folder: &Path) -> Result<Store, Failure> {
    let options = EmbeddedOptions { memtable_bytes: 512 << 10, ..EmbeddedOptions::default() };
    Ok(Store::open(folder, options).await?)
}

/// Every client goes on where the store says it is, until the process is killed.
async fn write(folder: &Path) -> Result<(), Failure> {
    let store = open(folder).await?;
    std::io::stdout().write_all(b"open\n")?;
    let clients: Vec<_> =
        (0..CLIENTS).map(|client| tokio::spawn(one_client(store.clone(), client))).collect();
    for client in clients {
        client.await??;
    }
    Ok(())
}

async fn one_client(store: Store, client: u64) -> Result<(), Failure> {
    loop {
        let turn = store
            .write(|tx| async move {
                let turn = tx.get_i64(&Key::of("turn").u64(client)).await?.unwrap_or(0).cast_unsigned();
                for part in 0..PARTS {
                    tx.put(&row(client, turn, part), content(client, turn, part))?;
                }
                tx.add(&Key::of("turn").u64(client), 1)?;
                tx.add(&Key::of("sum"), 1)?;
                tx.put_stamped(&Key::of("log"), client, turn.to_string())?;
                if turn >= 50 {
                    tx.delete(&row(client, turn - 50, 0))?;
                }
                Ok::<_, StoreError>(turn)
            })
            .await?;
        let counted = store.count(&Key::of("counted").u64(client), 1, i64::MAX).await?;
        let (Counted::Now(counted) | Counted::Full(counted)) = counted;
        // One call, so that a line is said whole or not at all.
        std::io::stdout().write_all(format!("{client} {turn} {counted}\n").as_bytes())?;
    }
}

fn row(client: u64, turn: u64, part: u64) -> Key {
    Key::of("rows").u64(client).u64(turn).u64(part)
}

/// From a few bytes to some kilobytes, different for every row.
fn content(client: u64, turn: u64, part: u64) -> Bytes {
    let seed = (client * 1_000_003 + turn) * 31 + part;
    let length = if turn.is_multiple_of(16) { 5_000 } else { 20 + seed % 700 };
    (0..length).map(|at| (seed.wrapping_mul(0x9e37_79b9).wrapping_add(at) >> 3).to_le_bytes()[0]).collect()
}

async fn check(folder: &Path) -> Result<(), Failure> {
    let said = said()?;
    let store = &open(folder).await?;
    let mut sum = 0;
    for client in 0..CLIENTS {
        let (turns, counted) = store
            .read(|tx| async move {
                let turns = tx.get_i64(&Key::of("turn").u64(client)).await?;
                Ok::<_, StoreError>((turns, tx.get_i64(&Key::of("counted").u64(client)).await?))
            })
            .await?;
        let turns = turns.unwrap_or(0).cast_unsigned();
        let counted = counted.unwrap_or(0).cast_unsigned();
        let acknowledged = said.get(&client).copied().unwrap_or_default();
        if turns < acknowledged.0 || counted < acknowledged.1 {
            return Err(format!(
                "client {client}: {acknowledged:?} acknowledged, {turns} and {counted} kept"
            )
            .into());
        }
        check_rows(store, client, turns).await?;
        sum += turns;
    }
    let kept = store.read(|tx| async move { tx.get_i64(&Key::of("sum")).await }).await?.unwrap_or(0);
    if kept.cast_unsigned() != sum {
        return Err(format!("the sum is {kept}, the turns are {sum}").into());
    }
    check_log(store, sum).await
}

/// How many turns, and how many counts, each client was told are durable.
fn said() -> Result<HashMap<u64, (u64, u64)>, Failure> {
    let mut said = HashMap::new();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let mut words = line.split(' ');
        if let (Some(client), Some(turn), Some(count)) = (words.next(), words.next(), words.next()) {
            said.insert(client.parse()?, (turn.parse::<u64>()? + 1, count.parse()?));
        }
    }
    Ok(said)
}

/// Every turn is whole, and nothing is there of a turn that is not.
async fn check_rows(store: &Store, client: u64, turns: u64) -> Result<(), Failure> {
    let mut expected = (0..turns).flat_map(|turn| {
        let first = u64::from(turn + 50 < turns);
        (first..PARTS).map(move |part| (turn, part))
    });
    let mut range = Range::prefix(&Key::of("rows").u64(client));
    loop {
        let asked = &range;
        let page =
            store.read(|tx| async move { tx.scan(asked.clone(), Direction::Forward, 1_000).await }).await?;
        for found in &page.rows {
            let Some((turn, part)) = expected.next() else {
                return Err("a row of a turn that is not".into());
            };
            if found.key != row(client, turn, part).as_bytes() || found.value != content(client, turn, part) {
                return Err(format!("client {client}, turn {turn}, part {part}: not what was written").into());
            }
        }
        let Some(last) = page.rows.last().filter(|_| page.more) else { break };
        range = range.after(&last.key);
    }
    if expected.next().is_some() { Err("a row is missing".into()) } else { Ok(()) }
}

/// The log holds every turn once, each client's in order.
async fn check_log(store: &Store, sum: u64) -> Result<(), Failure> {
    let mut next = HashMap::<u64, u64>::new();
    let mut range = Range::prefix(&Key::of("log"));
    let mut entries = 0;
    loop {
        let asked = &range;
        let page =
            store.read(|tx| async move { tx.scan(asked.clone(), Direction::Forward, 1_000).await }).await?;
        for found in &page.rows {
            let parts = KeyParts::decode(&found.key).unwrap_or_default();
            let [_, Part::Stamp(_), Part::U64(client)] = parts[..] else {
                return Err("a log entry's key is not one".into());
            };
            let turn = next.entry(client).or_default();
            if found.value != turn.to_string() {
                return Err(format!("client {client}: the log is not in order at turn {turn}").into());
            }
            *turn += 1;
            entries += 1;
        }
        let Some(last) = page.rows.last().filter(|_| page.more) else { break };
        range = range.after(&last.key);
    }
    if entries == sum { Ok(()) } else { Err(format!("{entries} log entries, {sum} turns").into()) }
}
