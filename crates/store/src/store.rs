use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::RwLock;
use tokio::time::{Instant, sleep, timeout};

use crate::collection::IndexStates;
use crate::commit::{Count, Counted, Refused};
use crate::engine::Engine;
use crate::engine::embedded::{Embedded, EmbeddedOptions};
use crate::engine::postgres::{Postgres, PostgresOptions};
use crate::engine::testkit::Testkit;
use crate::tx::{MAX_TRANSACTION_TIME, Tx};
use crate::watch::{Changes, OnChange, Watch, Watchers};
use crate::{Key, OpenError, StoreError};

/// After so many conflicts a transaction is queued first: others wait with their commits until it is through.
const PATIENCE: u32 = 5;
/// After so many conflicts [`StoreError::Conflict`] is answered; queued first, only counters can cause them, and other
/// nodes: beside those it is tried for as long as a transaction may take.
const MAX_ATTEMPTS: u32 = 20;
/// The mean of the first wait after a conflict; it doubles with each one.
const FIRST_BACKOFF: Duration = Duration::from_micros(500);

/// The transactional ordered keyspace. Cheap to clone; all clones are one store.
///
/// Transactions are serializable, and nothing is seen by anyone before it is durable.
#[derive(Clone)]
pub struct Store(Arc<Shared>);

struct Shared {
    engine: Engine,
    watchers: Arc<Watchers>,
    index_states: IndexStates,
    /// Held for reading while a commit is under way, for writing by a transaction that is queued first.
    turnstile: RwLock<()>,
    /// What the waits after conflicts are drawn from: they only have to differ.
    jitter: AtomicU64,
}

/// Behind those that were queued first nobody waits for longer than a transaction may take.
async fn in_turn<T>(turn: impl Future<Output = T>) -> Result<T, StoreError> {
    timeout(MAX_TRANSACTION_TIME, turn).await.map_err(|_| StoreError::TransactionTooLong)
}

impl Store {
    fn new(engine: Engine, watchers: Arc<Watchers>) -> Self {
        Self(Arc::new(Shared {
            engine,
            watchers,
            index_states: IndexStates::default(),
            turnstile: RwLock::default(),
            jitter: AtomicU64::default(),
        }))
    }

    /// Opens the embedded store in `folder`, or makes it. The folder belongs to one process at a time; it is
    /// given free when the last clone of the store is gone.
    ///
    /// # Errors
    /// [`OpenError::Locked`] while another process holds it, [`OpenError::NewerFormat`] when a newer program
    /// wrote it, and the others as they say.
    pub async fn open(folder: &Path, options: EmbeddedOptions) -> Result<Self, OpenError> {
        let watchers = Arc::default();
        let engine = Embedded::open(folder, options, Arc::clone(&watchers)).await?;
        Ok(Self::new(Engine::Embedded(engine), watchers))
    }

    /// A store in a database that speaks PostgreSQL's protocol, beside any number of other nodes.
    ///
    /// # Errors
    /// [`OpenError`], when the database can't be reached or what is in it is not a store.
    pub async fn connect(options: PostgresOptions) -> Result<Self, OpenError> {
        let watchers = Arc::default();
        // Boxed: the compiler doesn't have to look through it wherever a store is opened.
        let opening: Pin<Box<dyn Future<Output = _> + Send>> =
            Box::pin(Postgres::open(options, Arc::clone(&watchers)));
        let engine = opening.await?;
        Ok(Self::new(Engine::Postgres(Box::new(engine)), watchers))
    }

    /// A store in memory for tests. It awaits on every read, runs every write closure twice (the first result
    /// is thrown away), refuses some commits at random by `seed`, and enforces every bound.
    pub fn testkit(seed: u64) -> Self {
        let watchers = Arc::default();
        Self::new(Engine::Testkit(Testkit::new(seed, Arc::clone(&watchers))), watchers)
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.0.engine
    }

    /// Runs `f` on a consistent snapshot; twice, where the first came apart between two reads.
    ///
    /// # Errors
    /// What `f` answers.
    pub async fn read<T, E, F, Fut>(&self, f: F) -> Result<T, E>
    where
        F: Fn(Tx) -> Fut,
        Fut: Future<Output = Result<T, E>> + Send,
        E: From<StoreError>,
    {
        let tx = Tx::reading(self.0.engine.snapshot(false), &self.0.index_states);
        let outcome = f(tx.clone()).await;
        if !tx.has_moved() {
            return outcome;
        }
        f(Tx::reading(self.0.engine.snapshot(true), &self.0.index_states)).await
    }

    /// Runs `f` and commits what it wrote, as if no other transaction ran meanwhile; returns once that is
    /// durable and watchers on this node have run.
    ///
    /// `f` may run many times (on conflicts), so it must change nothing but the store and wait for nothing
    /// outside. When it answers an error, nothing is written and the error is returned. Dropping the future
    /// while it commits leaves open whether the transaction takes effect.
    ///
    /// # Errors
    /// What `f` answers; [`StoreError::TransactionTooLong`] when one run takes longer than
    /// [`MAX_TRANSACTION_TIME`]; [`StoreError::NotANumber`] of merges; [`StoreError::Conflict`].
    pub async fn write<T, E, F, Fut>(&self, f: F) -> Result<T, E>
    where
        F: Fn(Tx) -> Fut,
        Fut: Future<Output = Result<T, E>> + Send,
        E: From<StoreError>,
    {
        let began = Instant::now();
        for attempt in 0.. {
            let patient = self.0.engine.has_neighbours() && began.elapsed() < MAX_TRANSACTION_TIME;
            if attempt >= MAX_ATTEMPTS && !patient {
                break;
            }
            if self.0.engine.rehearses()
                && let Ok((_, rehearsed)) = self.run(&f, false).await
            {
                rehearsed.finish();
            }
            let queued_first =
                if attempt >= PATIENCE { Some(in_turn(self.0.turnstile.write()).await?) } else { None };
            let (outcome, tx) = self.run(&f, attempt > 0).await?;
            if tx.has_moved() {
                tx.finish();
                continue;
            }
            let value = outcome?;
            let Some(commit) = tx.finish() else {
                return Ok(value);
            };
            let turn =
                if queued_first.is_none() { Some(in_turn(self.0.turnstile.read()).await?) } else { None };
            match self.0.engine.commit(commit).await {
                Ok(_) => return Ok(value),
                Err(Refused::Failed(error)) => return Err(error.into()),
                Err(Refused::Conflict) => {}
            }
            drop((queued_first, turn));
            self.back_off(attempt).await;
        }
        Err(StoreError::Conflict.into())
    }

    async fn run<T, E, F, Fut>(&self, f: &F, steady: bool) -> Result<(Result<T, E>, Tx), StoreError>
    where
        F: Fn(Tx) -> Fut,
        Fut: Future<Output = Result<T, E>> + Send,
    {
        let tx = Tx::writing(self.0.engine.snapshot(steady), &self.0.index_states);
        let outcome = timeout(MAX_TRANSACTION_TIME, f(tx.clone())).await;
        if !matches!(outcome, Ok(Ok(_))) {
            tx.finish();
        }
        Ok((outcome.map_err(|_| StoreError::TransactionTooLong)?, tx))
    }

    async fn back_off(&self, attempt: u32) {
        if self.0.engine.rehearses() {
            return tokio::task::yield_now().await;
        }
        let mean = FIRST_BACKOFF * (1 << attempt.min(PATIENCE));
        // Multiplying by an odd constant near the golden ratio spreads consecutive numbers evenly.
        let drawn = self.0.jitter.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 54;
        sleep(mean / 2 + mean * u32::try_from(drawn).unwrap_or(0) / 1_024).await;
    }

    /// Adds `delta` to the counter at `key` unless it would pass `limit`; a negative `delta` gives back and
    /// stops at 0. Atomic, durable before it answers, outside any transaction and never in conflict with
    /// another count: of n parallel calls exactly as many count as the limit lets through.
    ///
    /// # Errors
    /// [`StoreError::KeyTooLong`], [`StoreError::NotANumber`].
    pub async fn count(&self, key: &Key, delta: i64, limit: i64) -> Result<Counted, StoreError> {
        self.0.engine.count(Count::new(key, delta, limit)?).await
    }

    /// Watches what changes under `prefix` in watched collections (see
    /// [`Record::WATCHED`](crate::Record::WATCHED)) and what [`Tx::touch`] names.
    pub fn watch(&self, prefix: &Key) -> Watch {
        self.0.watchers.watch(prefix)
    }

    /// Numbers the states of what [`Self::watch`] would tell of, for caches.
    pub fn changes(&self, prefix: &Key) -> Changes {
        self.0.watchers.changes(prefix)
    }

    /// Whether this node is sure to have been told of everything that changed until 5 s ago. Always, where it is alone.
    pub fn is_current(&self) -> bool {
        self.0.watchers.are_current()
    }

    /// Whether other processes may work on the same store.
    pub fn has_neighbours(&self) -> bool {
        self.0.engine.has_neighbours()
    }

    /// Whether the database can't be reached at the moment: what is asked meanwhile fails at once with
    /// [`StoreError::Away`].
    pub fn is_away(&self) -> bool {
        self.0.engine.is_away()
    }

    /// Calls `call` for changes as [`Self::watch`] tells them, before the `write` that made them returns; for
    /// the life of the store. It must be quick, must not wait (commits stand still meanwhile) and must not hold the
    /// store itself (which could then never close). When several
    /// commits become durable together it is called once, with the last one's stamp.
    pub fn on_change(&self, prefix: &Key, call: OnChange) {
        self.0.watchers.call(prefix, call);
    }
}
