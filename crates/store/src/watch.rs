//! Who is told when watched collections change.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::watch;

use crate::commit::Touched;
use crate::{Key, Versionstamp};

/// What [`Store::on_change`](crate::Store::on_change) calls.
pub type OnChange = Arc<dyn Fn(Versionstamp) + Send + Sync>;

/// Everyone who watches a prefix.
#[derive(Default)]
pub(crate) struct Watchers(Mutex<Vec<Watcher>>);

#[derive(Clone)]
struct Watcher {
    prefix: Bytes,
    tell: Tell,
}

#[derive(Clone)]
enum Tell {
    Receiver(watch::Sender<Versionstamp>),
    Call(OnChange),
}

impl Watchers {
    pub(crate) fn watch(self: &Arc<Self>, prefix: &Key) -> Watch {
        let (sender, receiver) = watch::channel(Versionstamp::default());
        self.register(prefix, Tell::Receiver(sender));
        Watch { receiver, _watchers: Arc::clone(self) }
    }

    pub(crate) fn call(&self, prefix: &Key, call: OnChange) {
        self.register(prefix, Tell::Call(call));
    }

    fn register(&self, prefix: &Key, tell: Tell) {
        let prefix = Bytes::copy_from_slice(prefix.as_bytes());
        let mut watchers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        watchers.retain(|watcher| !matches!(&watcher.tell, Tell::Receiver(sender) if sender.is_closed()));
        watchers.push(Watcher { prefix, tell });
    }

    /// Tells everyone whose prefix was touched, each once, with the last commit that did it.
    pub(crate) fn tell(&self, touched: &[Touched]) {
        if touched.is_empty() {
            return;
        }
        // A copy, so that a call may itself watch.
        let watchers = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for watcher in watchers {
            let touching = |(_, keys): &&Touched| keys.iter().any(|key| key.starts_with(&watcher.prefix));
            if let Some((stamp, _)) = touched.iter().rev().find(touching) {
                match watcher.tell {
                    Tell::Receiver(sender) => drop(sender.send_replace(*stamp)),
                    Tell::Call(call) => call(*stamp),
                }
            }
        }
    }
}

/// Waits for changes under a prefix; changes in quick succession may be told as one.
pub struct Watch {
    receiver: watch::Receiver<Versionstamp>,
    _watchers: Arc<Watchers>,
}

impl Watch {
    /// Waits until something under the prefix has changed since the last call (or since the watch began),
    /// and gives the last change's stamp.
    pub async fn changed(&mut self) -> Versionstamp {
        // It can't fail: this watch itself keeps the sender alive.
        let _ = self.receiver.changed().await;
        *self.receiver.borrow_and_update()
    }
}
