use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use fjall::{AbstractTree, PersistMode};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::folder::VERSION_KEY;
use super::merger::Merger;
use super::{Current, Tree};
use crate::commit::Touched;
use crate::conflicts::Window;
use crate::engine::requests::{Answer, Decided, Request};
use crate::watch::Watchers;

/// The room that requests wait in, in KiB. Who asked may go away; what was asked stays until its turn.
const ROOM: u32 = 64 << 10;
/// Memtables that wait to become files; while there are so many, commits wait.
const MOST_WAITING: usize = 4;
/// Runs of files that wait to be merged; while there are so many, commits wait.
const MOST_RUNS: usize = 30;
/// Between looks at what waits.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// The thread that decides the order of commits.
pub(super) struct Committer {
    queue: Arc<Queue>,
    room: Arc<Semaphore>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    more: Condvar,
}

/// A request, and the room that it takes until its turn.
type Placed = (Request, OwnedSemaphorePermit);

#[derive(Default)]
struct Waiting {
    requests: Vec<Placed>,
    closed: bool,
}

impl Committer {
    pub(super) fn start(
        tree: Tree,
        current: Arc<Current>,
        watchers: Arc<Watchers>,
        memtable_bytes: u64,
    ) -> io::Result<Self> {
        let queue = Arc::<Queue>::default();
        let window = Window::starting_at(current.get().version);
        let merger = Merger::start(tree.database.clone(), tree.keyspace.clone())?;
        merger.look();
        let mut thread =
            Thread { queue: Arc::clone(&queue), tree, merger, current, watchers, window, memtable_bytes };
        let spawned = std::thread::Builder::new().name("store-commit".into()).spawn(move || {
            let _fatal = AbortOnPanic;
            thread.run();
        })?;
        Ok(Self { queue, room: Arc::new(Semaphore::new(ROOM as usize)), thread: Some(spawned) })
    }

    /// Takes a request of so many bytes, once there is room for it.
    pub(super) async fn queue(&self, request: Request, size: usize) {
        let wanted = u32::try_from(size >> 10).map_or(ROOM, |size| size.saturating_add(1).min(ROOM));
        // It is never closed; without room nobody would be answered.
        let Ok(room) = Arc::clone(&self.room).acquire_many_owned(wanted).await else { return };
        self.queue.waiting.lock().unwrap_or_else(PoisonError::into_inner).requests.push((request, room));
        self.queue.more.notify_one();
    }
}

impl Drop for Committer {
    /// Waits until everything that was asked is done.
    fn drop(&mut self) {
        self.queue.waiting.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.queue.more.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic in it has ended the process.
            let _ = thread.join();
        }
    }
}

impl Queue {
    /// Everything that waits, in order; empty only when the store is being closed.
    fn take(&self) -> Vec<Placed> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        while waiting.requests.is_empty() && !waiting.closed {
            waiting = self.more.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        std::mem::take(&mut waiting.requests)
    }
}

struct Thread {
    queue: Arc<Queue>,
    tree: Tree,
    merger: Merger,
    current: Arc<Current>,
    watchers: Arc<Watchers>,
    window: Window,
    memtable_bytes: u64,
}

impl Thread {
    fn run(&mut self) {
        loop {
            let mut requests = self.queue.take().into_iter().peekable();
            if requests.peek().is_none() {
                return;
            }
            while requests.peek().is_some() {
                self.commit_group(&mut requests);
            }
        }
    }

    fn commit_group(&mut self, requests: &mut impl Iterator<Item = Placed>) {
        let published = self.current.get();
        let below = |key: &[u8]| published.get(&Bytes::copy_from_slice(key));
        let decided =
            Decided::behind(published.version, &mut self.window, || Some(requests.next()?.0), below);
        if !decided.changes_nothing() {
            self.make_durable(decided.last, decided.changes, &decided.touched);
        }
        decided.answers.into_iter().for_each(Answer::give);
        self.set_aside();
    }

    /// Writes, flushes, publishes, tells: in this order.
    fn make_durable(
        &mut self,
        version: u64,
        changes: impl IntoIterator<Item = (Bytes, Option<Bytes>)>,
        touched: &[Touched],
    ) {
        self.wait_for_files();
        let keyspace = &self.tree.keyspace;
        let mut batch = self.tree.database.batch().durability(Some(PersistMode::SyncData));
        batch.insert(keyspace, VERSION_KEY, version.to_be_bytes());
        for (key, value) in changes {
            self.tree.cache.changed(&key, value.as_ref(), version);
            match value {
                Some(value) => batch.insert(keyspace, key.as_ref(), value.as_ref()),
                None => batch.remove(keyspace, key.as_ref()),
            }
        }
        if let Err(error) = batch.commit() {
            // Whether the disk has it is unknown, so nothing true can be answered any more.
            end_process("flush its journal", &error);
        }
        self.current.set(self.tree.published(version));
        self.watchers.tell(touched);
    }

    /// Waits while too much is to become files or to be merged. fjall would wait too, but for ever if its worker has
    /// failed meanwhile.
    fn wait_for_files(&self) {
        let tree = &self.tree.keyspace.tree;
        while tree.sealed_memtable_count() >= MOST_WAITING || tree.l0_run_count() >= MOST_RUNS {
            if let Err(error) = self.tree.database.persist(PersistMode::Buffer) {
                end_process("write its files", &error);
            }
            self.merger.look();
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// Sets a full memtable aside to become a file. fjall would have its one worker do so, which merges files for
    /// seconds meanwhile: the memtable would take as much memory as is written then, and the worker could end up
    /// waiting for room in the queue that it alone empties.
    fn set_aside(&self) {
        if self.tree.keyspace.tree.active_memtable().size() < self.memtable_bytes {
            return;
        }
        if let Err(error) = self.tree.keyspace.rotate_memtable() {
            tracing::warn!(%error, "the store could not set its writes aside to become a file; it will try again");
        }
        self.merger.look();
    }
}

pub(super) fn end_process(what: &str, error: &impl std::error::Error) -> ! {
    tracing::error!(%error, "the store could not {what}; the process ends");
    std::process::abort();
}

/// Without its threads the store could answer nothing true, or would stand still: their end is the process's.
pub(super) struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!("a thread of the store panicked; the process ends");
            std::process::abort();
        }
    }
}
