//! While a backup runs beside nodes, no blob is deleted: what its snapshot names must be there when it is copied.
//!
//! A hold is a record. A node that would remove a blob looks for one first, behind the commit that took the blob's last
//! record away (see [`Hold`](homeport_blobs::Hold)). A hold that has run out is removed before a blob is, so a backup that
//! finds its own record at its end knows that nobody removed any meanwhile, whatever the clocks say.

use std::time::Duration;

use homeport_core::{Randomness, SharedClock, Timestamp};
use homeport_store::{Collection, KeyParts, MAX_PAGE_ROWS, Record, Store, StoreError, Tx};
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::MovingError;

const HOLDS: Collection<HoldRecord> = Collection::new();

/// How long a hold outlives its last renewal, so that a backup that was killed doesn't hold for ever.
const LIFE_SECONDS: i64 = 120;
const RENEW_EVERY: Duration = Duration::from_secs(30);

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

    fn key(&self) -> KeyParts {
        KeyParts::from(&self.id)
    }
}

/// Whether a backup wants blobs to be kept. A node that can't ask keeps them: that costs some bytes until the next sweep.
pub(crate) async fn is_held(store: &Store, clock: &SharedClock) -> bool {
    is_held_at(store, clock.now()).await.unwrap_or(true)
}

async fn is_held_at(store: &Store, now: Timestamp) -> Result<bool, StoreError> {
    match store.read(|tx| async move { all(&tx).await }).await?.is_empty() {
        true => Ok(false),
        false => end_those_that_ran_out(store, now).await,
    }
}

/// Removes the holds of backups that were killed; whether others are left.
async fn end_those_that_ran_out(store: &Store, now: Timestamp) -> Result<bool, StoreError> {
    store
        .write(|tx| async move {
            let mut held = false;
            for hold in all(&tx).await? {
                if hold.until < now {
                    HOLDS.delete(&tx, &hold.id).await?;
                } else {
                    held = true;
                }
            }
            Ok(held)
        })
        .await
}

async fn all(tx: &Tx) -> Result<Vec<HoldRecord>, StoreError> {
    Ok(HOLDS.page(tx, KeyParts::new(), None, MAX_PAGE_ROWS).await?.records)
}

/// A hold that is kept up; dropped, it ends by itself.
pub(super) struct Holding {
    store: Store,
    clock: SharedClock,
    id: String,
    renewing: JoinHandle<()>,
}

impl Holding {
    /// From its return on every node holds.
    pub(super) async fn begin(
        store: &Store,
        clock: &SharedClock,
        randomness: &dyn Randomness,
    ) -> Result<Self, MovingError> {
        let mut id = [0; 16];
        randomness.fill(&mut id);
        let id = hex::encode(id);
        end_those_that_ran_out(store, clock.now()).await?;
        let hold = &HoldRecord::new(&id, clock);
        store.write::<_, StoreError, _, _>(|tx| async move { HOLDS.put(&tx, hold).await }).await?;
        let renewing = tokio::spawn(go_on_renewing(store.clone(), id.clone(), clock.clone()));
        Ok(Self { store: store.clone(), clock: clock.clone(), id, renewing })
    }

    /// Whether it was kept up all the time.
    pub(super) async fn check(&self) -> Result<(), MovingError> {
        if renew(&self.store, &self.id, &self.clock).await? { Ok(()) } else { Err(MovingError::HoldLost) }
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

impl HoldRecord {
    fn new(id: &str, clock: &SharedClock) -> Self {
        Self { id: id.to_owned(), until: clock.now().plus_seconds(LIFE_SECONDS) }
    }
}

/// Whether it was still there to be renewed.
async fn renew(store: &Store, id: &str, clock: &SharedClock) -> Result<bool, StoreError> {
    let hold = &HoldRecord::new(id, clock);
    store
        .write(|tx| async move {
            let there = HOLDS.get(&tx, &hold.id).await?.is_some();
            if there {
                HOLDS.put(&tx, hold).await?;
            }
            Ok(there)
        })
        .await
}

/// Until it is not there any more. What fails is tried again.
async fn go_on_renewing(store: Store, id: String, clock: SharedClock) {
    loop {
        sleep(RENEW_EVERY).await;
        if matches!(timeout(RENEW_EVERY, renew(&store, &id, &clock)).await, Ok(Ok(false))) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use homeport_core::{Clock, SeededRandomness};

    use super::*;

    struct At(AtomicI64);

    impl Clock for At {
        fn now(&self) -> Timestamp {
            Timestamp::from_seconds(self.0.load(Ordering::Relaxed))
        }
    }

    fn at(seconds: i64) -> (Arc<At>, SharedClock) {
        let at = Arc::new(At(seconds.into()));
        (at.clone(), at)
    }

    #[tokio::test]
    async fn nodes_hold_while_a_backup_runs_and_not_for_ever() {
        let (store, (at, clock)) = (Store::testkit(1), at(1_000));
        assert!(!is_held(&store, &clock).await);
        let first = Holding::begin(&store, &clock, &SeededRandomness::new(1)).await.unwrap();
        assert!(is_held(&store, &clock).await);
        first.check().await.unwrap();
        first.end().await;
        assert!(!is_held(&store, &clock).await);
        let killed = Holding::begin(&store, &clock, &SeededRandomness::new(2)).await.unwrap();
        drop(killed);
        let second = Holding::begin(&store, &clock, &SeededRandomness::new(3)).await.unwrap();
        second.end().await;
        assert!(is_held(&store, &clock).await, "the first one was renewed lately");
        at.0.store(1_000 + LIFE_SECONDS + 1, Ordering::Relaxed);
        assert!(!is_held(&store, &clock).await);
    }

    #[tokio::test]
    async fn a_backup_whose_hold_ran_out_for_any_node_knows() {
        let (store, (slow, behind)) = (Store::testkit(1), at(1_000));
        let (_, ahead) = at(1_000 + LIFE_SECONDS + 1);
        let holding = Holding::begin(&store, &behind, &SeededRandomness::new(1)).await.unwrap();
        holding.check().await.unwrap();
        assert!(!is_held(&store, &ahead).await, "by that node's clock it has run out");
        slow.0.store(1_010, Ordering::Relaxed);
        assert!(matches!(holding.check().await, Err(MovingError::HoldLost)));
        assert!(!renew(&store, &holding.id, &behind).await.unwrap(), "it came back");
    }
}
