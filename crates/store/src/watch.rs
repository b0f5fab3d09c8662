//! Who is told when watched collections change.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::commit::Touched;
use crate::freshness::Freshness;
use crate::{Key, Versionstamp};

/// What [`Store::on_change`](crate::Store::on_change) calls.
pub type OnChange = Arc<dyn Fn(Versionstamp) + Send + Sync>;

/// Everyone who watches a prefix, and whether what they were told is all there was to tell.
#[derive(Default)]
pub(crate) struct Watchers {
    all: Mutex<Vec<Watcher>>,
    freshness: Freshness,
}

#[derive(Clone)]
struct Watcher {
    prefix: Bytes,
    tell: Tell,
}

#[derive(Clone)]
enum Tell {
    Receiver(watch::Sender<Versionstamp>),
    Count(Weak<AtomicU64>),
    Call(OnChange),
}

impl Tell {
    fn is_over(&self) -> bool {
        match self {
            Self::Receiver(sender) => sender.is_closed(),
            Self::Count(count) => count.strong_count() == 0,
            Self::Call(_) => false,
        }
    }

    fn tell(&self, stamp: Versionstamp) {
        match self {
            Self::Receiver(sender) => drop(sender.send_replace(stamp)),
            Self::Count(count) => {
                if let Some(count) = count.upgrade() {
                    count.fetch_add(1, Ordering::SeqCst);
                }
            }
            Self::Call(call) => call(stamp),
        }
    }
}

impl Watchers {
    pub(crate) fn watch(self: &Arc<Self>, prefix: &Key) -> Watch {
        let (sender, receiver) = watch::channel(Versionstamp::default());
        self.register(prefix, Tell::Receiver(sender));
        Watch { receiver, _watchers: Arc::clone(self) }
    }

    pub(crate) fn changes(self: &Arc<Self>, prefix: &Key) -> Changes {
        let count = Arc::default();
        self.register(prefix, Tell::Count(Arc::downgrade(&count)));
        Changes { count, watchers: Arc::clone(self) }
    }

    pub(crate) fn call(&self, prefix: &Key, call: OnChange) {
        self.register(prefix, Tell::Call(call));
    }

    fn register(&self, prefix: &Key, tell: Tell) {
        let prefix = Bytes::copy_from_slice(prefix.as_bytes());
        let mut watchers = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        watchers.retain(|watcher| !watcher.tell.is_over());
        watchers.push(Watcher { prefix, tell });
    }

    /// A copy, so that a call may itself watch.
    fn copy(&self) -> Vec<Watcher> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tells everyone whose prefix was touched, each once, with the last commit that did it.
    pub(crate) fn tell(&self, touched: &[Touched]) {
        if touched.is_empty() {
            return;
        }
        for watcher in self.copy() {
            let touching = |(_, keys): &&Touched| keys.iter().any(|key| key.starts_with(&watcher.prefix));
            if let Some((stamp, _)) = touched.iter().rev().find(touching) {
                watcher.tell.tell(*stamp);
            }
        }
    }

    /// Tells everyone: what changed up to `stamp` is not known.
    pub(crate) fn tell_everyone(&self, stamp: Versionstamp) {
        self.copy().iter().for_each(|watcher| watcher.tell.tell(stamp));
    }

    /// Everything that was there at `began`, up to `stamp`, has been told. Who was told too late before that is told
    /// again, before it counts.
    pub(crate) fn all_was_told(&self, began: Instant, stamp: Versionstamp) {
        if !self.freshness.holds() {
            self.tell_everyone(stamp);
        }
        self.freshness.renew(began);
    }

    pub(crate) fn are_current(&self) -> bool {
        self.freshness.holds()
    }
}

/// Waits for changes under a prefix; changes in quick succession may be told as one.
pub struct Watch {
    receiver: watch::Receiver<Versionstamp>,
    _watchers: Arc<Watchers>,
}

impl Watch {
    /// Waits until something under the prefix has changed since the last call (or since the watch began),
    /// or may have while other nodes could not be heard, and gives the last change's stamp.
    pub async fn changed(&mut self) -> Versionstamp {
        // It can't fail: this watch itself keeps the sender alive.
        let _ = self.receiver.changed().await;
        *self.receiver.borrow_and_update()
    }
}

/// Numbers the states of what lies under a prefix, so that a cache can say which one it holds.
///
/// Ask for the number, then read, then keep what was read together with the number: it may be used as long as
/// [`Self::current`] answers the same.
#[derive(Clone)]
pub struct Changes {
    count: Arc<AtomicU64>,
    watchers: Arc<Watchers>,
}

impl Changes {
    /// The state's number. It grows with every change this node hears of. While the node can't be sure that it hears
    /// of other nodes' changes (5 s after it last was), every call gives another number.
    pub fn current(&self) -> u64 {
        // In this order: a number read before might be out of date by the time that all was told again.
        if self.watchers.are_current() {
            self.count.load(Ordering::SeqCst)
        } else {
            self.count.fetch_add(1, Ordering::SeqCst) + 1
        }
    }
}
