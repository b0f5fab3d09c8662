//! Looks at every environment's process tree every 100 ms and ends what holds more than it may.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use crate::process_tree::{self, MOST_PROCESSES};

const EVERY: Duration = Duration::from_millis(100);

/// One environment as the watchdog knows it.
#[derive(Debug)]
pub(crate) struct Watched {
    root: i32,
    limit: u64,
    control: Arc<OwnedFd>,
    peak: AtomicU64,
    over: AtomicBool,
}

impl Watched {
    pub(crate) fn new(root: i32, limit: u64, control: Arc<OwnedFd>) -> Self {
        Self { root, limit, control, peak: AtomicU64::new(0), over: AtomicBool::new(false) }
    }

    /// Hangs up: the helper then ends everything below it. (A signal to the helper would, in tier 1, leave the tree.)
    pub(crate) fn end(&self) {
        if let Err(error) = rustix::net::shutdown(&self.control, rustix::net::Shutdown::Write) {
            tracing::debug!(%error, "an environment had already ended");
        }
    }

    pub(crate) fn peak(&self) -> u64 {
        self.peak.load(Ordering::Relaxed)
    }

    pub(crate) fn was_over_memory(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    fn look(&self) {
        let tree = process_tree::with_descendants(self.root);
        let held: u64 = tree.iter().map(|pid| process_tree::memory(*pid)).sum();
        self.peak.fetch_max(held, Ordering::Relaxed);
        if held > self.limit {
            self.over.store(true, Ordering::Relaxed);
        }
        if held > self.limit || tree.len() > MOST_PROCESSES {
            self.end();
        }
    }
}

/// All environments that stand.
#[derive(Debug, Default)]
pub(crate) struct Watchdog(Mutex<Vec<Weak<Watched>>>);

impl Watchdog {
    pub(crate) fn watch(&self, watched: &Arc<Watched>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(watched));
    }

    fn standing(&self) -> Vec<Arc<Watched>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|watched| watched.strong_count() > 0);
        all.iter().filter_map(Weak::upgrade).collect()
    }
}

/// Runs on a thread of its own, since reading `/proc` blocks, until the watchdog is let go of.
pub(crate) fn keep_watch(watchdog: Weak<Watchdog>) {
    while let Some(watchdog) = watchdog.upgrade() {
        for watched in watchdog.standing() {
            watched.look();
        }
        drop(watchdog);
        std::thread::sleep(EVERY);
    }
}
