//! A process that reads and writes by many clients at once: through the engine, as a node does, or by the fewest
//! statements that do the job.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use homeport_store::{Key, Store, StoreError, Tx};
use serde_json::{Value, json};
use tokio_postgres::{Client, Statement};

use crate::Outcome;
use crate::cluster::{CONNECTIONS, sql, store};
use crate::process::{Program, cpu_seconds_of};

/// Rows there are.
pub(crate) const ROWS: u64 = 102_400;
const VALUE_BYTES: usize = 512;
const WARM: Duration = Duration::from_millis(300);
const ROUND: Duration = Duration::from_secs(2);
/// From one row to the next of a client, among its own: neighbours lie on different pages.
const STRIDE: u64 = 7_919;

const SELECT: &str = "SELECT value FROM bare WHERE key = $1";
const UPSERT: &str =
    "INSERT INTO bare (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";

/// Which of so many nodes one is, and how many clients each has.
#[derive(Clone, Copy)]
pub(crate) struct Share {
    pub(crate) node: u64,
    pub(crate) nodes: u64,
    pub(crate) clients: u64,
}

/// What was done in so many rounds.
#[derive(Clone, Copy, Default)]
pub(crate) struct Done {
    pub(crate) requests: f64,
    pub(crate) seconds: f64,
    pub(crate) cpu: f64,
    pub(crate) database_cpu: f64,
    /// Of the round where it was longest.
    pub(crate) p99_ms: f64,
}

impl Done {
    /// What another node did in the same round. Both have seen the same database.
    pub(crate) fn beside(&mut self, other: Self) {
        self.requests += other.requests;
        self.seconds = self.seconds.max(other.seconds);
        self.cpu += other.cpu;
        self.database_cpu = self.database_cpu.max(other.database_cpu);
        self.p99_ms = self.p99_ms.max(other.p99_ms);
    }

    /// What was done in another round.
    pub(crate) fn then(&mut self, other: Self) {
        self.requests += other.requests;
        self.seconds += other.seconds;
        self.cpu += other.cpu;
        self.database_cpu += other.database_cpu;
        self.p99_ms = self.p99_ms.max(other.p99_ms);
    }

    pub(crate) fn per_second(&self) -> f64 {
        self.requests / self.seconds
    }

    /// Microseconds of CPU of its own for each.
    pub(crate) fn own_us(&self) -> f64 {
        self.cpu / self.requests * 1e6
    }

    /// The same of the database.
    pub(crate) fn database_us(&self) -> f64 {
        self.database_cpu / self.requests * 1e6
    }

    pub(crate) fn summary(&self) -> String {
        let (own, database, rate) = (self.own_us(), self.database_us(), self.per_second());
        format!("{own:.0}+{database:.0} us CPU, {rate:.0}/s, p99 {:.1} ms", self.p99_ms)
    }
}

/// Such a process, which waits to be told to begin a round.
pub(crate) struct Node {
    child: Child,
    says: BufReader<ChildStdout>,
}

impl Node {
    /// `kind` is `engine` or `bare`, `work` is `get`, `put` or `change`.
    pub(crate) fn start(
        program: &Program,
        url: &str,
        database: u32,
        kind: &str,
        work: &str,
        share: Share,
    ) -> Outcome<Self> {
        let numbers = [u64::from(database), share.node, share.nodes, share.clients].map(|n| n.to_string());
        let mut command = program.on_server_cores(&std::env::current_exe()?);
        command.args(["node", url, kind, work]).args(numbers);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn()?;
        let says = BufReader::new(child.stdout.take().ok_or("no output")?);
        let mut node = Self { child, says };
        node.line()?;
        Ok(node)
    }

    /// Begins a round.
    pub(crate) fn begin(&mut self) -> Outcome<()> {
        Ok(writeln!(self.child.stdin.as_mut().ok_or("no input")?)?)
    }

    /// Waits for its end.
    pub(crate) fn end(&mut self) -> Outcome<Done> {
        let done: Value = serde_json::from_str(&self.line()?)?;
        let number = |name: &str| done[name].as_f64().ok_or("no figure");
        Ok(Done {
            requests: number("requests")?,
            seconds: ROUND.as_secs_f64(),
            cpu: number("cpu")?,
            database_cpu: number("database_cpu")?,
            p99_ms: number("p99_ms")?,
        })
    }

    fn line(&mut self) -> Outcome<String> {
        let mut line = String::new();
        match self.says.read_line(&mut line)? {
            0 => Err("a node ended before its time".into()),
            _ => Ok(line),
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The process itself.
pub(crate) async fn run(arguments: Vec<String>) -> Outcome<()> {
    let [url, kind, work, database, node, nodes, clients] = &arguments[..] else {
        return Err("node URL KIND WORK DATABASE NODE NODES CLIENTS".into());
    };
    let share = Share { node: node.parse()?, nodes: nodes.parse()?, clients: clients.parse()? };
    let peer = Arc::new(match kind.as_str() {
        "engine" => Peer::Engine(store(url).await?),
        _ => Peer::bare(url).await?,
    });
    let work = Work::of(work);
    // One of each before anything is said, so that statements are prepared and connections are there.
    serve(&peer, work, share, Instant::now(), Instant::now() + WARM).await?;
    println!("ready");
    let database = database.parse()?;
    while std::io::stdin().read_line(&mut String::new())? > 0 {
        println!("{}", round(&peer, work, share, database).await?);
    }
    Ok(())
}

async fn round(peer: &Arc<Peer>, work: Work, share: Share, database: u32) -> Outcome<Value> {
    let begin = Instant::now() + WARM;
    let end = begin + ROUND;
    let serving = serve(peer, work, share, begin, end);
    let (latencies, (cpu, database_cpu)) = tokio::join!(serving, used(database, begin, end));
    let mut latencies = latencies?;
    latencies.sort_unstable();
    let p99 = latencies.get(latencies.len().saturating_sub(1) * 99 / 100).map_or(0.0, Duration::as_secs_f64);
    Ok(json!({"requests": latencies.len(), "cpu": cpu, "database_cpu": database_cpu, "p99_ms": p99 * 1e3}))
}

/// CPU seconds of this process and of the database from `begin` to `end`.
async fn used(database: u32, begin: Instant, end: Instant) -> (f64, f64) {
    let both = || (cpu_seconds_of(std::process::id()), cpu_seconds_of(database));
    tokio::time::sleep_until(begin.into()).await;
    let before = both();
    tokio::time::sleep_until(end.into()).await;
    let after = both();
    (after.0 - before.0, after.1 - before.1)
}

/// All clients of one node until `end`; gives the latencies of what they began from `begin` on.
async fn serve(
    peer: &Arc<Peer>,
    work: Work,
    share: Share,
    begin: Instant,
    end: Instant,
) -> Outcome<Vec<Duration>> {
    let client = |client: u64| {
        let peer = Arc::clone(peer);
        async move {
            let (lane, lanes) = (share.node * share.clients + client, share.nodes * share.clients);
            let (mut latencies, mut at) = (Vec::new(), 0);
            loop {
                let begun = Instant::now();
                if begun >= end {
                    return Ok::<_, String>(latencies);
                }
                let own = ROWS / lanes;
                let row = (at * STRIDE % own) * lanes + lane;
                peer.work(work, client as usize, &key(row)).await?;
                at += 1;
                if begun >= begin {
                    latencies.push(begun.elapsed());
                }
            }
        }
    };
    let clients: Vec<_> = (0..share.clients).map(|at| tokio::spawn(client(at))).collect();
    let mut latencies = Vec::new();
    for client in clients {
        latencies.extend(client.await??);
    }
    Ok(latencies)
}

/// Where a row lies.
pub(crate) fn key(row: u64) -> Key {
    Key::of("bench").u64(row)
}

/// What lies there.
pub(crate) fn value() -> Bytes {
    Bytes::from_static(&[b'v'; VALUE_BYTES])
}

#[derive(Clone, Copy)]
enum Work {
    Get,
    Put,
    /// Reads a row and writes it.
    Change,
}

impl Work {
    fn of(word: &str) -> Self {
        match word {
            "get" => Self::Get,
            "put" => Self::Put,
            _ => Self::Change,
        }
    }
}

enum Peer {
    Engine(Store),
    /// As many connections as a node has; clients share them, each statement of one is sent behind the other's.
    Bare(Vec<Session>),
}

struct Session {
    client: Client,
    select: Statement,
    upsert: Statement,
}

impl Peer {
    async fn bare(url: &str) -> Outcome<Self> {
        let mut sessions = Vec::new();
        for _ in 0..CONNECTIONS {
            let client = sql(url).await?;
            let (select, upsert) = (client.prepare(SELECT).await?, client.prepare(UPSERT).await?);
            sessions.push(Session { client, select, upsert });
        }
        Ok(Self::Bare(sessions))
    }

    async fn work(&self, work: Work, client: usize, key: &Key) -> Result<(), String> {
        match self {
            Self::Engine(store) => by_engine(store, work, key).await.map_err(|error| error.to_string()),
            Self::Bare(sessions) => {
                let session = &sessions[client % sessions.len()];
                by_statements(session, work, key).await.map_err(|error| error.to_string())
            }
        }
    }
}

async fn by_engine(store: &Store, work: Work, key: &Key) -> Result<(), StoreError> {
    match work {
        Work::Get => {
            let found: Option<Bytes> = store.read(|tx| async move { tx.get(key).await }).await?;
            found.map(drop).ok_or(StoreError::NotANumber)
        }
        Work::Put => store.write(|tx: Tx| std::future::ready(tx.put(key, value()))).await,
        Work::Change => {
            let change = |tx: Tx| async move {
                let before = tx.get(key).await?.unwrap_or_default();
                tx.put(key, before)
            };
            store.write(change).await
        }
    }
}

async fn by_statements(session: &Session, work: Work, key: &Key) -> Result<(), tokio_postgres::Error> {
    let Session { client, select, upsert } = session;
    let key = key.as_bytes();
    let mut value = value();
    if matches!(work, Work::Get | Work::Change) {
        let row = client.query_one(select, &[&key]).await?;
        value = Bytes::copy_from_slice(row.get::<_, &[u8]>(0));
    }
    if matches!(work, Work::Put | Work::Change) {
        client.execute(upsert, &[&key, &value.as_ref()]).await?;
    }
    Ok(())
}
