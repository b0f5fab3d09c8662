//! The environments that stand: kept warm, reused, bounded, retired after idleness; each serves one revision of one
//! function and nothing else ever.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::LambdaError;
use crate::environment::Environment;
use crate::machine::Limits;

/// How often idle environments are looked at.
const EVERY: Duration = Duration::from_secs(5);

/// All functions' environments.
pub(crate) struct Pool {
    limits: Limits,
    total: Arc<Semaphore>,
    /// Invocations that wait for a place among all: no environment is kept idle meanwhile.
    waiting: AtomicUsize,
    functions: Mutex<HashMap<String, Arc<Slot>>>,
}

/// One function's.
struct Slot {
    running: Arc<Semaphore>,
    waiting: AtomicUsize,
    idle: Mutex<Vec<Idle>>,
}

struct Idle {
    standing: Standing,
    since: Instant,
}

/// An environment and its place among all.
struct Standing {
    environment: Environment,
    revision: String,
    _place: OwnedSemaphorePermit,
}

/// The right to run one invocation of a function.
pub(crate) struct Turn {
    slot: Arc<Slot>,
    pool: Arc<Pool>,
    _running: OwnedSemaphorePermit,
}

/// An environment in use. Given back with [`Lease::give_back`]; dropped, it ends.
pub(crate) struct Lease {
    turn: Turn,
    standing: Standing,
}

impl Pool {
    /// Must be called within a runtime: idle environments are retired from a task that ends with the pool.
    pub(crate) fn new(limits: Limits) -> Arc<Self> {
        let pool = Arc::new(Self {
            limits,
            total: Arc::new(Semaphore::new(limits.environments)),
            waiting: AtomicUsize::new(0),
            functions: Mutex::default(),
        });
        tokio::spawn(retire_idle(Arc::downgrade(&pool)));
        pool
    }

    /// Waits, a little, until one more invocation of this function may run.
    pub(crate) async fn turn(self: &Arc<Self>, function_id: &str) -> Result<Turn, LambdaError> {
        let slot = self.slot(function_id);
        let running = match slot.running.clone().try_acquire_owned() {
            Ok(running) => running,
            Err(_) => self.wait(&slot, slot.running.clone()).await?,
        };
        Ok(Turn { slot, pool: self.clone(), _running: running })
    }

    /// Ends what stands idle for a function: its configuration changed, or it is gone.
    pub(crate) fn retire(&self, function_id: &str) {
        let slot = lock(&self.functions).remove(function_id);
        drop(slot);
    }

    fn slot(&self, function_id: &str) -> Arc<Slot> {
        let fresh = || {
            Arc::new(Slot {
                running: Arc::new(Semaphore::new(self.limits.per_function)),
                waiting: AtomicUsize::new(0),
                idle: Mutex::default(),
            })
        };
        lock(&self.functions).entry(function_id.to_owned()).or_insert_with(fresh).clone()
    }

    async fn wait(&self, slot: &Slot, room: Arc<Semaphore>) -> Result<OwnedSemaphorePermit, LambdaError> {
        if slot.waiting.fetch_add(1, Ordering::Relaxed) >= self.limits.waiting {
            slot.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(LambdaError::TooManyRequests);
        }
        let waited = tokio::time::timeout(self.limits.patience, room.acquire_owned()).await;
        slot.waiting.fetch_sub(1, Ordering::Relaxed);
        waited.ok().and_then(Result::ok).ok_or(LambdaError::TooManyRequests)
    }

    /// A place for a new environment; the longest idle of all makes room for it.
    async fn place(&self, slot: &Slot) -> Result<OwnedSemaphorePermit, LambdaError> {
        if let Ok(place) = self.total.clone().try_acquire_owned() {
            return Ok(place);
        }
        self.waiting.fetch_add(1, Ordering::SeqCst);
        drop(self.longest_idle());
        let place = self.wait(slot, self.total.clone()).await;
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        place
    }

    fn longest_idle(&self) -> Option<Idle> {
        let slots: Vec<Arc<Slot>> = lock(&self.functions).values().cloned().collect();
        let oldest = |slot: &Arc<Slot>| lock(&slot.idle).first().map(|idle| idle.since);
        let slot = slots.iter().filter(|slot| oldest(slot).is_some()).min_by_key(|slot| oldest(slot))?;
        let mut idle = lock(&slot.idle);
        (!idle.is_empty()).then(|| idle.remove(0))
    }

    fn retire_older_than(&self, age: Duration) {
        let slots: Vec<Arc<Slot>> = lock(&self.functions).values().cloned().collect();
        for slot in slots {
            let ripe = |idle: &mut Idle| idle.since.elapsed() >= age || !idle.standing.environment.is_fit();
            let retired: Vec<Idle> = lock(&slot.idle).extract_if(.., ripe).collect();
            drop(retired);
        }
        let mut functions = lock(&self.functions);
        functions.retain(|_, slot| Arc::strong_count(slot) > 1 || !lock(&slot.idle).is_empty());
    }
}

impl Turn {
    /// A warm environment of this revision, if one is fit.
    pub(crate) fn warm(self, revision: &str) -> Result<Lease, Self> {
        let mut idle = lock(&self.slot.idle);
        while let Some(at) = idle.iter().rposition(|idle| idle.standing.revision == revision) {
            let standing = idle.remove(at).standing;
            if standing.environment.is_fit() {
                drop(idle);
                return Ok(Lease { turn: self, standing });
            }
        }
        drop(idle);
        Err(self)
    }

    /// A new environment.
    pub(crate) async fn cold(
        self,
        revision: &str,
        start: impl Future<Output = Result<Environment, LambdaError>>,
    ) -> Result<Lease, LambdaError> {
        let place = self.pool.place(&self.slot).await?;
        let environment = start.await?;
        let standing = Standing { environment, revision: revision.to_owned(), _place: place };
        Ok(Lease { turn: self, standing })
    }
}

impl Lease {
    pub(crate) fn environment(&mut self) -> &mut Environment {
        &mut self.standing.environment
    }

    /// Keeps it for the next event, if it is fit for one and nobody waits for its place.
    pub(crate) fn give_back(self) {
        let Self { turn, standing } = self;
        if standing.environment.is_fit() && turn.pool.waiting.load(Ordering::SeqCst) == 0 {
            lock(&turn.slot.idle).push(Idle { standing, since: Instant::now() });
        }
    }
}

async fn retire_idle(pool: Weak<Pool>) {
    loop {
        tokio::time::sleep(EVERY).await;
        let Some(pool) = pool.upgrade() else { return };
        pool.retire_older_than(pool.limits.idle);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
