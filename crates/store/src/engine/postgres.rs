//! The engine for several nodes: a database that speaks PostgreSQL's protocol, validated by ourselves in groups
//! (docs/decisions/0003).
//!
//! A transaction reads one of the database's snapshots, which holds the clock's row: the number of the last commit.
//! One task of each node commits in groups. Whoever has the clock's row decides alone: it learns what other nodes
//! changed, validates, and writes rows, changed keys, its group's id and the clock in one transaction.

mod committer;
mod connect;
mod export;
mod follower;
mod lanes;
mod own_news;
mod packed;
mod passwords;
mod readers;
mod schema;
mod snapshot;
mod tls;
mod trouble;
mod url;

use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::commit::{Commit, Count, Counted, Refused};
use crate::engine::requests::Request;
use crate::watch::Watchers;
use crate::{OpenError, StoreError};

use committer::Committer;
use connect::Database;
use follower::Follower;
use own_news::OwnNews;
use trouble::broken;

pub(crate) use export::Export;
pub(crate) use snapshot::Snapshot;
pub use url::{PostgresUrl, PostgresUrlError};

/// How a node uses its database.
#[derive(Clone)]
pub struct PostgresOptions {
    /// Where it is, and who asks.
    pub url: PostgresUrl,
    /// The most connections of this node: 4 to 1,000.
    pub connections: usize,
    /// A random number of this process: its groups are told from others' by it.
    pub node: [u8; 16],
    /// Whether a database without the tables is refused, in place of making them there.
    pub must_exist: bool,
}

impl PostgresOptions {
    /// At most 32 connections; the tables are made where there are none.
    pub const fn new(url: PostgresUrl, node: [u8; 16]) -> Self {
        Self { url, connections: 32, node, must_exist: false }
    }
}

pub(crate) struct Postgres {
    database: Database,
    committer: Committer,
    _follower: Follower,
}

impl Postgres {
    pub(crate) async fn open(options: PostgresOptions, watchers: Arc<Watchers>) -> Result<Self, OpenError> {
        let database = Database::new(&options)?;
        let began = Instant::now();
        let last = schema::prepare(&database, options.must_exist).await?;
        let own = Arc::new(OwnNews::new(options.node, Arc::clone(&watchers)));
        let committer = Committer::start(database.clone(), Arc::clone(&own));
        let follower = Follower::start(database.clone(), own, watchers, last, began);
        Ok(Self { database, committer, _follower: follower })
    }

    pub(crate) fn is_away(&self) -> bool {
        self.database.seems_away()
    }

    pub(crate) fn snapshot(&self, steady: bool) -> Snapshot {
        Snapshot::new(self.database.clone(), steady)
    }

    pub(crate) async fn export(&self) -> Result<Export, StoreError> {
        Export::begin(&self.database).await
    }

    pub(crate) async fn other_nodes(&self) -> Result<usize, StoreError> {
        export::other_nodes(&self.database).await
    }

    pub(crate) async fn commit(&self, commit: Commit) -> Result<u64, Refused> {
        let (reply, answer) = oneshot::channel();
        self.database.note(self.committer.queue(Request::Commit(Box::new(commit), reply)))?;
        match answer.await {
            Ok(Err(Refused::Failed(error))) => self.database.note(Err(error)).map_err(Refused::Failed),
            Ok(answer) => answer,
            Err(gone) => Err(Refused::Failed(broken(gone))),
        }
    }

    pub(crate) async fn count(&self, count: Count) -> Result<Counted, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.database.note(self.committer.queue(Request::Count(count, reply)))?;
        self.database.note(answer.await.unwrap_or_else(|gone| Err(broken(gone))))
    }
}

/// The tables are there, and the clock's row isn't.
#[derive(Debug, thiserror::Error)]
#[error("the schema in the database is not one of this program's")]
struct NoClock;
