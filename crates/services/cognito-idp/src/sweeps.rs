//! Rows that have served their time: marks of used blocks, counters of past windows, what deleted pools leave,
//! refresh tokens that were revoked and have expired, signing keys that verify nothing any more.

use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use homeport_core::Timestamp;
use homeport_service::{Needs, Parts};
use homeport_store::{Direction, Key, KeyParts, Part, Range, Store, StoreError};

use crate::CognitoIdp;
use crate::pool_ref::PoolRef;
use crate::records::{USERS, address_failures_in, grave, graves, spent_in, sweep_pool};
use crate::{removal, revocations, signing_keys};

/// Failures of client addresses are counted in windows of so many seconds.
pub(crate) const WINDOW_SECONDS: i64 = 300;
/// What a node that is gone left undone is looked for once in so many minutes.
const MINUTES_AN_HOUR: i64 = 60;
/// What is looked through as a whole is looked through once in so many minutes.
const MINUTES_A_DAY: i64 = 1_440;
/// Users of a deleted pool that others forget in one transaction.
const AT_ONCE: usize = 100;

/// Since when the store was last tidied by this process.
#[derive(Default)]
pub(crate) struct Sweeps {
    minute: AtomicI64,
}

/// The window that a moment falls in.
pub(crate) fn window(now: Timestamp) -> i64 {
    now.seconds() / WINDOW_SECONDS
}

impl CognitoIdp {
    /// Removes what sign-ins of past minutes left, at most once a minute, goes on with what other nodes left undone, at
    /// most once an hour, and removes what expired on past days, at most once a day; beside the call, not in it. Several
    /// nodes may do it at once: what is removed twice is gone all the same.
    pub(crate) fn tidy(&self, now: Timestamp) {
        let minute = now.seconds() / 60;
        let before = self.sweeps.minute.swap(minute, Ordering::SeqCst);
        if before == minute {
            return;
        }
        let is_new_day = before / MINUTES_A_DAY != minute / MINUTES_A_DAY;
        let is_new_hour = before / MINUTES_AN_HOUR != minute / MINUTES_AN_HOUR;
        let parts = self.parts.clone();
        tokio::spawn(async move {
            let store = &parts.store;
            let _ = sweep_until(store, &spent_in(0), &spent_in(minute - 1)).await;
            let _ = sweep_until(store, &address_failures_in(0), &address_failures_in(window(now) - 1)).await;
            if is_new_hour {
                let _ = bury_all(&parts).await;
            }
            if is_new_day {
                let _ = revocations::sweep(store, now).await;
                let _ = signing_keys::sweep(store, now).await;
            }
        });
    }

    /// Goes on with removing what pools left that were deleted before the program ended. To be called once at start.
    pub async fn resume(&self) -> Result<(), StoreError> {
        bury_all(&self.parts).await
    }

    /// Removes the rows of a deleted pool, beside the call.
    pub(crate) fn bury(&self, pool: PoolRef) {
        bury(&self.parts, pool);
    }
}

/// Removes the rows of all deleted pools that still have some, beside the call.
async fn bury_all(parts: &Parts) -> Result<(), StoreError> {
    let account = parts.installation.account;
    let range = &Range::prefix(&graves(account));
    let marks = parts.store.read(|tx| async move {
        tx.scan(range.clone(), Direction::Forward, homeport_store::MAX_PAGE_ROWS).await
    });
    for row in marks.await?.rows {
        if let Some(Part::Str(id)) = KeyParts::decode(&row.key).and_then(|parts| parts.into_iter().last()) {
            bury(parts, PoolRef::new(account, id));
        }
    }
    Ok(())
}

/// Removes the rows of a deleted pool; its mark goes last.
fn bury(parts: &Parts, pool: PoolRef) {
    let (store, needs) = (parts.store.clone(), parts.needs.clone());
    tokio::spawn(async move {
        let mark = grave(&pool);
        if forget_users(&store, &needs, &pool).await.is_ok() && sweep_pool(&store, &pool).await.is_ok() {
            let _: Result<(), StoreError> = store
                .write(|tx| {
                    let removed = tx.delete(&mark);
                    async move { removed }
                })
                .await;
        }
    });
}

/// Has others remove what they keep of the pool's users, page by page; begun anew it does no harm.
async fn forget_users(store: &Store, needs: &Needs, pool: &PoolRef) -> Result<(), StoreError> {
    let mut after: Option<Bytes> = None;
    loop {
        let from = after.as_deref();
        let page = store.read(|tx| async move { USERS.page(&tx, pool.parts(), from, AT_ONCE).await }).await?;
        let users = &page.records;
        let forgotten = store.write(|tx| async move {
            for user in users {
                removal::forget(&tx, user, needs).await?;
            }
            Ok::<_, StoreError>(())
        });
        forgotten.await?;
        match page.cursor {
            Some(cursor) => after = Some(cursor),
            None => return Ok(()),
        }
    }
}

/// Removes rows between two keys, step by step.
async fn sweep_until(store: &Store, from: &Key, to: &Key) -> Result<(), StoreError> {
    loop {
        let range = &Range::between(from, to);
        let page =
            store.read(|tx| async move { tx.scan(range.clone(), Direction::Forward, 500).await }).await?;
        let keys: Vec<Key> = page.rows.iter().map(|row| Key::from_row(&row.key)).collect();
        if keys.is_empty() {
            return Ok(());
        }
        store
            .write(|tx| {
                let removed: Result<(), StoreError> = keys.iter().try_for_each(|key| tx.delete(key));
                async move { removed }
            })
            .await?;
        if !page.more {
            return Ok(());
        }
    }
}
