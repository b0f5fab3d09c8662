//! The engine for several nodes against the fewest statements that do its job, and two nodes against one.

use homeport_store::{StoreError, Tx};

use crate::Outcome;
use crate::cluster::{Cluster, settle, sql, store};
use crate::node::{Done, Node, ROWS, Share, key, value};
use crate::process::Program;
use crate::table::Table;

/// Of each node.
const CLIENTS: u64 = 64;
/// Of each side, in turns.
const ROUNDS: usize = 4;
const ROWS_TO_A_TRANSACTION: u64 = 1_024;
const BARE: &str = "CREATE TABLE bare (key bytea PRIMARY KEY, value bytea NOT NULL);
    INSERT INTO bare SELECT key, value FROM homeport.rows";

pub(crate) async fn measure(program: &Program, table: &mut Table) -> Outcome<()> {
    let Some(cluster) = Cluster::start(program)? else {
        table.figure("engine for several nodes", "-", "-", "PostgreSQL is not installed");
        return Ok(());
    };
    let url = cluster.database("nodes").await?;
    fill(&url).await?;
    let bench = Bench { program, url, database: cluster.pid()? };
    let (one, two) = (("engine", 1), ("engine", 2));

    let (got, selected) = bench.in_turns("get", one, ("bare", 1)).await?;
    let beside = format!("{}; SELECT {}", got.summary(), selected.summary());
    table.ratio("engine, get: CPU of one SELECT", Some(0.7), selected.own_us() / got.own_us(), &beside);
    let both = |done: &Done| done.own_us() + done.database_us();
    table.ratio("the same, with the database's CPU", None, both(&selected) / both(&got), "");

    let (put, upserted) = bench.in_turns("put", one, ("bare", 1)).await?;
    let beside = format!("{}; upsert {}", put.summary(), upserted.summary());
    let ratio = put.per_second() / upserted.per_second();
    table.ratio("engine, durable put: throughput of one upsert", Some(0.7), ratio, &beside);

    let (changed, both) = bench.in_turns("change", one, ("bare", 1)).await?;
    let beside = format!("{}; both {}", changed.summary(), both.summary());
    let ratio = changed.per_second() / both.per_second();
    table.ratio("engine, get and put: of SELECT and upsert", None, ratio, &beside);

    for (what, work) in [("get", "get"), ("durable put", "put"), ("get and put", "change")] {
        let (together, alone) = bench.in_turns(work, two, one).await?;
        let beside = format!("{}; one {}", together.summary(), alone.summary());
        let ratio = together.per_second() / alone.per_second();
        table.ratio(&format!("two nodes, {what}: throughput of one"), None, ratio, &beside);
    }
    Ok(())
}

/// What processes do their work by, and how many they are.
type Side = (&'static str, u64);

struct Bench<'p> {
    program: &'p Program,
    url: String,
    database: u32,
}

impl Bench<'_> {
    /// Two sides in turns, so that whatever else the machine does meets both.
    async fn in_turns(&self, work: &str, one: Side, other: Side) -> Outcome<(Done, Done)> {
        settle(&self.url, &["homeport.rows", "homeport.groups", "bare"]).await?;
        let (mut first, mut second) = (self.start(work, one)?, self.start(work, other)?);
        let mut done = (Done::default(), Done::default());
        for _ in 0..ROUNDS {
            done.0.then(round(&mut first)?);
            done.1.then(round(&mut second)?);
        }
        Ok(done)
    }

    fn start(&self, work: &str, (kind, nodes): Side) -> Outcome<Vec<Node>> {
        let start = |node| {
            let share = Share { node, nodes, clients: CLIENTS };
            Node::start(self.program, &self.url, self.database, kind, work, share)
        };
        (0..nodes).map(start).collect()
    }
}

fn round(nodes: &mut [Node]) -> Outcome<Done> {
    for node in &mut *nodes {
        node.begin()?;
    }
    let mut all = Done::default();
    for node in nodes {
        all.beside(node.end()?);
    }
    Ok(all)
}

/// Rows by the engine, and the same in a table for statements.
async fn fill(url: &str) -> Outcome<()> {
    let store = store(url).await?;
    for first in (0..ROWS).step_by(usize::try_from(ROWS_TO_A_TRANSACTION)?) {
        let rows = first..first + ROWS_TO_A_TRANSACTION;
        let put = |tx: Tx| rows.clone().try_for_each(|row| tx.put(&key(row), value()));
        store.write::<_, StoreError, _, _>(|tx| std::future::ready(put(tx))).await?;
    }
    Ok(sql(url).await?.batch_execute(BARE).await?)
}
