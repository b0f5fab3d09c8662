use std::sync::Arc;
use std::time::Duration;

use homeport_core::SharedClock;
use homeport_store::{KeyParts, Store, StoreError};
use tokio::runtime::Handle;
use tokio::sync::Notify;

use crate::records::{SWEEPS, TOKENS, roots_of};

/// Deleted tables, or client tokens, that one look finds.
const PAGE: usize = 100;
/// Between looks when nothing was deleted here meanwhile: what another node left undone is found so.
const EVERY: Duration = Duration::from_secs(600);

/// Removes the items of deleted tables, and client tokens that ran out, step by step; goes on with what a stopped
/// program left.
pub(crate) struct Sweeper {
    wake: Arc<Notify>,
}

impl Sweeper {
    /// Starts to sweep, where there is a runtime to sweep on.
    pub(crate) fn start(store: Store, clock: SharedClock) -> Self {
        let wake = Arc::new(Notify::new());
        // What an earlier start left is found at the first look.
        wake.notify_one();
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(sweep_when_woken(store, clock, wake.clone()));
        }
        Self { wake }
    }

    /// Tells that a table was deleted.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }
}

async fn sweep_when_woken(store: Store, clock: SharedClock, wake: Arc<Notify>) {
    loop {
        tokio::select! {
            () = wake.notified() => {}
            () = tokio::time::sleep(EVERY) => {}
        }
        let swept = match sweep_tables(&store).await {
            Ok(()) => sweep_tokens(&store, clock.now().millis()).await,
            failed => failed,
        };
        if let Err(error) = swept {
            tracing::warn!(%error, "what a deleted table left could not be removed yet");
        }
    }
}

async fn sweep_tables(store: &Store) -> Result<(), StoreError> {
    loop {
        let found =
            store.read(|tx| async move { SWEEPS.page(&tx, KeyParts::new(), None, PAGE).await }).await?;
        if found.records.is_empty() {
            return Ok(());
        }
        for sweep in found.records {
            for root in roots_of(&sweep.table_id) {
                store.sweep(&root).await?;
            }
            let id = sweep.table_id.as_str();
            store.write(|tx| async move { SWEEPS.delete(&tx, id).await.map(drop) }).await?;
        }
    }
}

async fn sweep_tokens(store: &Store, now_ms: i64) -> Result<(), StoreError> {
    loop {
        let oldest = store
            .read(|tx| async move { TOKENS.page_by(&tx, "expires", KeyParts::new(), None, PAGE).await })
            .await?
            .records;
        let expired: Vec<_> = oldest.into_iter().take_while(|token| token.expires_ms < now_ms).collect();
        if expired.is_empty() {
            return Ok(());
        }
        let expired = &expired;
        store
            .write(|tx| async move {
                for token in expired {
                    TOKENS.delete(&tx, (token.scope.as_str(), token.token.as_str())).await?;
                }
                Ok::<_, StoreError>(())
            })
            .await?;
    }
}
