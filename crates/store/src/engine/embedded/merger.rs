use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

use fjall::{AbstractTree, Database, Keyspace};

use super::committer::{AbortOnPanic, end_process};

/// The tree's levels.
const LEVELS: usize = 7;

/// The thread that merges files for as long as there are some to merge. fjall's own worker takes one step, of a file or
/// some, for each memtable that has become a file: when files move through several levels that is too little, new ones
/// pile up, and a commit that waits for them makes none that would bring the worker on.
pub(super) struct Merger {
    signal: Arc<Signal>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Signal {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    asked: bool,
    closed: bool,
}

impl Merger {
    pub(super) fn start(database: Database, keyspace: Keyspace) -> io::Result<Self> {
        let signal = Arc::<Signal>::default();
        let heard = Arc::clone(&signal);
        let run = move || {
            let _fatal = AbortOnPanic;
            while heard.next() {
                catch_up(&database, &keyspace, &heard);
            }
        };
        let thread = std::thread::Builder::new().name("store-merge".into()).spawn(run)?;
        Ok(Self { signal, thread: Some(thread) })
    }

    /// Has it look whether files wait to be merged.
    pub(super) fn look(&self) {
        self.signal.state().asked = true;
        self.signal.changed.notify_one();
    }
}

impl Drop for Merger {
    /// Waits for the end of the step that is being taken.
    fn drop(&mut self) {
        self.signal.state().closed = true;
        self.signal.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Signal {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it is asked to look; whether it goes on.
    fn next(&self) -> bool {
        let mut state = self.state();
        while !state.asked && !state.closed {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.asked = false;
        !state.closed
    }
}

/// Takes steps, the strategy choosing what is the furthest behind, until none is left, or the worker has the files.
fn catch_up(database: &Database, keyspace: &Keyspace, signal: &Signal) {
    while !signal.state().closed {
        let before = shape(keyspace);
        let strategy = Arc::clone(&keyspace.config.compaction_strategy);
        let seen_by_nobody = database.supervisor.snapshot_tracker.get_seqno_safe_to_gc();
        if let Err(error) = keyspace.tree.compact(strategy, seen_by_nobody) {
            end_process("merge its files", &error);
        }
        if shape(keyspace) == before {
            return;
        }
    }
}

/// How many files each level has: each step changes that.
fn shape(keyspace: &Keyspace) -> [Option<usize>; LEVELS] {
    std::array::from_fn(|level| keyspace.tree.level_table_count(level))
}
