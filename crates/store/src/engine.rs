//! The seam: what differs between engines. Everything above it is the same on all. What waits for a network is boxed, so
//! that it doesn't make the futures of every call large.

pub(crate) mod embedded;
pub(crate) mod postgres;
mod requests;
pub(crate) mod testkit;

use bytes::Bytes;

use crate::commit::{Commit, Count, Counted, Refused};
use crate::{Direction, Page, Range, StoreError};

/// The engine below a store.
pub(crate) enum Engine {
    Embedded(embedded::Embedded),
    Postgres(Box<postgres::Postgres>),
    Testkit(testkit::Testkit),
}

impl Engine {
    /// What is durable now. One that is steady never moves, at the price of another trip where there is only one read.
    pub(crate) fn snapshot(&self, steady: bool) -> Snapshot {
        match self {
            Self::Embedded(engine) => Snapshot::Embedded(engine.snapshot()),
            Self::Postgres(engine) => Snapshot::Postgres(Box::new(engine.snapshot(steady))),
            Self::Testkit(engine) => Snapshot::Testkit(engine.snapshot()),
        }
    }

    /// What is durable now, for a reader that takes long.
    pub(crate) async fn lasting_snapshot(&self) -> Result<LastingSnapshot, StoreError> {
        match self {
            Self::Postgres(engine) => Ok(LastingSnapshot::Postgres(engine.export().await?)),
            Self::Embedded(_) | Self::Testkit(_) => Ok(LastingSnapshot::Own(self.snapshot(true))),
        }
    }

    /// How many other processes commit beside this one.
    pub(crate) async fn other_nodes(&self) -> Result<usize, StoreError> {
        match self {
            Self::Postgres(engine) => engine.other_nodes().await,
            Self::Embedded(_) | Self::Testkit(_) => Ok(0),
        }
    }

    /// Commits, if what the transaction read still holds; returns once it is durable and watchers were told.
    pub(crate) async fn commit(&self, commit: Commit) -> Result<u64, Refused> {
        match self {
            Self::Embedded(engine) => engine.commit(commit).await,
            Self::Postgres(engine) => Box::pin(engine.commit(commit)).await,
            Self::Testkit(engine) => engine.commit(commit).await,
        }
    }

    /// Changes a counter; returns once it is durable.
    pub(crate) async fn count(&self, count: Count) -> Result<Counted, StoreError> {
        match self {
            Self::Embedded(engine) => engine.count(count).await,
            Self::Postgres(engine) => Box::pin(engine.count(count)).await,
            Self::Testkit(engine) => engine.count(count).await,
        }
    }

    /// Whether others commit beside this process: queueing first here doesn't keep them back.
    pub(crate) fn has_neighbours(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// Whether nothing can be read or written at the moment.
    pub(crate) fn is_away(&self) -> bool {
        match self {
            Self::Postgres(engine) => engine.is_away(),
            Self::Embedded(_) | Self::Testkit(_) => false,
        }
    }

    /// Whether every write closure runs once more before it counts, so that tests find side effects in it.
    pub(crate) fn rehearses(&self) -> bool {
        matches!(self, Self::Testkit(_))
    }
}

/// A consistent view of what was durable at one moment.
pub(crate) enum Snapshot {
    Embedded(embedded::Snapshot),
    Postgres(Box<postgres::Snapshot>),
    Testkit(testkit::Snapshot),
}

impl Snapshot {
    /// The last commit it holds.
    pub(crate) fn version(&self) -> u64 {
        match self {
            Self::Embedded(snapshot) => snapshot.version(),
            Self::Postgres(snapshot) => snapshot.version(),
            Self::Testkit(snapshot) => snapshot.version(),
        }
    }

    /// Lets go of what it holds of the engine: nothing more is read.
    pub(crate) fn close(&self) {
        match self {
            Self::Postgres(snapshot) => snapshot.close(),
            Self::Embedded(_) | Self::Testkit(_) => {}
        }
    }

    /// Whether two reads saw different states: what the closure came to counts for nothing, and it runs again.
    pub(crate) fn has_moved(&self) -> bool {
        match self {
            Self::Postgres(snapshot) => snapshot.has_moved(),
            Self::Embedded(_) | Self::Testkit(_) => false,
        }
    }

    pub(crate) async fn get(&self, key: &Bytes) -> Result<Option<Bytes>, StoreError> {
        match self {
            Self::Embedded(snapshot) => snapshot.get(key).await,
            Self::Postgres(snapshot) => snapshot.get(key).await,
            Self::Testkit(snapshot) => snapshot.get(key).await,
        }
    }

    pub(crate) async fn get_many(&self, keys: Vec<Bytes>) -> Result<Vec<Option<Bytes>>, StoreError> {
        match self {
            Self::Embedded(snapshot) => snapshot.get_many(keys).await,
            Self::Postgres(snapshot) => snapshot.get_many(keys).await,
            Self::Testkit(snapshot) => snapshot.get_many(keys).await,
        }
    }

    /// At most `limit` rows of a range that is not empty; `limit` is at least 1.
    pub(crate) async fn scan(
        &self,
        range: Range,
        direction: Direction,
        limit: usize,
    ) -> Result<Page, StoreError> {
        match self {
            Self::Embedded(snapshot) => snapshot.scan(range, direction, limit).await,
            Self::Postgres(snapshot) => snapshot.scan(range, direction, limit).await,
            Self::Testkit(snapshot) => snapshot.scan(range, direction, limit).await,
        }
    }
}

/// A snapshot that outlives every bound of a transaction.
pub(crate) enum LastingSnapshot {
    Own(Snapshot),
    Postgres(postgres::Export),
}

impl LastingSnapshot {
    /// The last commit it holds.
    pub(crate) fn version(&self) -> u64 {
        match self {
            Self::Own(snapshot) => snapshot.version(),
            Self::Postgres(export) => export.version(),
        }
    }

    /// How many rows there are.
    pub(crate) async fn count(&self) -> Result<u64, StoreError> {
        let snapshot = match self {
            Self::Own(snapshot) => snapshot,
            Self::Postgres(export) => return export.count().await,
        };
        let (mut count, mut range) = (0, Range::all());
        loop {
            let page = snapshot.scan(range.clone(), Direction::Forward, usize::MAX).await?;
            count += page.rows.len() as u64;
            let Some(last) = page.rows.last().filter(|_| page.more) else { return Ok(count) };
            range = range.after(&last.key);
        }
    }

    /// The first rows of a range that is not empty. Where there are more, it says so; it may also where there are none.
    pub(crate) async fn rows(&self, range: Range, limit: usize) -> Result<Page, StoreError> {
        match self {
            Self::Own(snapshot) => snapshot.scan(range, Direction::Forward, limit).await,
            Self::Postgres(export) => export.rows(range, limit).await,
        }
    }
}
