//! While a backup runs beside nodes, no blob is deleted: what its snapshot names must be there when it is copied.

use std::time::Duration;

use homeport_blobs::Hold;
use homeport_core::{Randomness, SharedClock, Timestamp};
use homeport_store::{Collection, KeyParts, MAX_PAGE_ROWS, Record, Store, StoreError, Tx};
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::MovingError;

const HOLDS: Collection<HoldRecord> = Collection::new();

/// How long a hold outlives its last renewal, so that a backup that was killed doesn't hold for ever.
const LIFE_SECONDS: i64 = 120;
const RENEW_EVERY: Duration = Duration::from_secs(30);
/// Without a renewal for so long, nodes whose clocks are ahead may have let go already.
const LOST_AFTER: Duration = Duration::from_secs(90);
/// Every node has heard of it then.
const HEARD_WITHIN: Duration = Duration::from_secs(2);
/// How often nodes look without being told.
const LOOK_EVERY: Duration = Duration::from_secs(15);
const AFTER_TROUBLE: Duration = Duration::from_secs(1);

/// One backup's wish that blobs stay.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct HoldRecord {
    /// Of the backup: 32 hexadecimal digits.
    id: String,
    /// When it ends unless renewed.
    until: Timestamp,
}

impl Record for HoldRecord {
    const COLLECTION: &'static str = "homeport.backup-hold";
    const VERSION: u16 = 1;
    const WATCHED: bool = true;

    fn key(&self) -> KeyParts {
        KeyParts::from(&self.id)
    }
}

/// Sets a node's switch as the store says, as long as the node runs.
pub(crate) async fn follow_hold(store: Store, hold: Hold, clock: SharedClock) {
    let mut watch = store.watch(&HOLDS.root());
    loop {
        let pause = match until(&store).await {
            Ok(until) => {
                let left = until.map(|until| until.millis() - clock.now().millis()).unwrap_or_default();
                hold.set(left > 0);
                let left = u64::try_from(left).ok().filter(|left| *left > 0).map(Duration::from_millis);
                left.unwrap_or(LOOK_EVERY).min(LOOK_EVERY)
            }
            // As it was: a hold that is over keeps some bytes, one that is missed costs a backup.
            Err(_) => AFTER_TROUBLE,
        };
        // Time running out is a reason to look, too.
        _ = timeout(pause, watch.changed()).await;
    }
}

/// When the last hold ends.
async fn until(store: &Store) -> Result<Option<Timestamp>, StoreError> {
    let holds = |tx: Tx| async move { HOLDS.page(&tx, KeyParts::new(), None, MAX_PAGE_ROWS).await };
    Ok(store.read(holds).await?.records.iter().map(|hold| hold.until).max())
}

/// A hold that is kept up; dropped, it ends by itself.
pub(super) struct Holding {
    store: Store,
    id: String,
    renewing: JoinHandle<()>,
}

impl Holding {
    /// Returns once every node holds.
    pub(super) async fn begin(
        store: &Store,
        clock: &SharedClock,
        randomness: &dyn Randomness,
    ) -> Result<Self, MovingError> {
        let mut id = [0; 16];
        randomness.fill(&mut id);
        let id = hex::encode(id);
        remove_ended(store, clock.now()).await?;
        put(store, &id, clock).await?;
        let renewing = tokio::spawn(renew(store.clone(), id.clone(), clock.clone()));
        let holding = Self { store: store.clone(), id, renewing };
        sleep(HEARD_WITHIN).await;
        Ok(holding)
    }

    /// Whether it was kept up all the time.
    pub(super) fn check(&self) -> Result<(), MovingError> {
        if self.renewing.is_finished() { Err(MovingError::HoldLost) } else { Ok(()) }
    }

    /// Lets nodes delete again. Where that fails, it ends by itself.
    pub(super) async fn end(self) {
        self.renewing.abort();
        let id = &self.id;
        _ = self.store.write(|tx| async move { HOLDS.delete(&tx, id).await.map(drop) }).await;
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        self.renewing.abort();
    }
}

async fn put(store: &Store, id: &str, clock: &SharedClock) -> Result<(), StoreError> {
    let hold = &HoldRecord { id: id.to_owned(), until: clock.now().plus_seconds(LIFE_SECONDS) };
    store.write(|tx| async move { HOLDS.put(&tx, hold).await }).await
}

/// Ends when the hold could not be renewed in time.
async fn renew(store: Store, id: String, clock: SharedClock) {
    let mut renewed = Instant::now();
    while renewed.elapsed() < LOST_AFTER {
        sleep(RENEW_EVERY).await;
        let began = Instant::now();
        let put = timeout(RENEW_EVERY, put(&store, &id, &clock)).await;
        if matches!(put, Ok(Ok(()))) && renewed.elapsed() < LOST_AFTER {
            renewed = began;
        }
    }
}

/// Of backups that were killed.
async fn remove_ended(store: &Store, now: Timestamp) -> Result<(), StoreError> {
    store
        .write(|tx| async move {
            for hold in HOLDS.page(&tx, KeyParts::new(), None, MAX_PAGE_ROWS).await?.records {
                if hold.until < now {
                    HOLDS.delete(&tx, &hold.id).await?;
                }
            }
            Ok(())
        })
        .await
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use homeport_core::{Clock, SeededRandomness};

    use super::*;

    struct At(std::sync::atomic::AtomicI64);

    impl Clock for At {
        fn now(&self) -> Timestamp {
            Timestamp::from_seconds(self.0.load(std::sync::atomic::Ordering::Relaxed))
        }
    }

    async fn becomes(hold: &Hold, held: bool) {
        let began = std::time::Instant::now();
        while hold.is_set() != held {
            assert!(began.elapsed() < Duration::from_secs(5), "it is not {held}");
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn nodes_hold_while_a_backup_runs_and_not_for_ever() {
        let (store, hold) = (Store::testkit(1), Hold::default());
        let at = Arc::new(At(1_000.into()));
        let clock: SharedClock = at.clone();
        let following = tokio::spawn(follow_hold(store.clone(), hold.clone(), clock.clone()));
        let first = Holding::begin(&store, &clock, &SeededRandomness::new(1)).await.unwrap();
        assert!(hold.is_set());
        first.end().await;
        becomes(&hold, false).await;
        let killed = Holding::begin(&store, &clock, &SeededRandomness::new(2)).await.unwrap();
        killed.check().unwrap();
        drop(killed);
        let second = Holding::begin(&store, &clock, &SeededRandomness::new(3)).await.unwrap();
        second.end().await;
        sleep(Duration::from_millis(100)).await;
        assert!(hold.is_set(), "the first one was renewed lately");
        at.0.store(1_000 + LIFE_SECONDS + 1, std::sync::atomic::Ordering::Relaxed);
        remove_ended(&store, clock.now()).await.unwrap();
        becomes(&hold, false).await;
        following.abort();
    }
}
