//! Removing what was deleted, and what has outlived its group's retention.

use std::sync::Weak;
use std::time::Duration;

use homeport_store::{Direction, KeyParts, Record, StoreError, Tx};

use crate::Logs;
use crate::events::{self, Pointer, Window};
use crate::records::{GROUPS, Group, STREAMS, UNLINKED, Unlinked, bytes_key};

/// Between looks when nothing was deleted meanwhile.
const EVERY: Duration = Duration::from_secs(600);
/// Events or streams of one transaction.
const STEP: usize = 250;
/// Records read at a time.
const PAGE: usize = 100;
const DAY: i64 = 86_400_000;

/// Sweeps until the service is gone.
pub(crate) async fn keep_sweeping(logs: Weak<Logs>) {
    loop {
        let Some(logs) = logs.upgrade() else { return };
        if let Err(error) = logs.sweep().await {
            tracing::warn!(%error, "deleted logs could not be swept; it is tried again");
        }
        tokio::select! {
            () = logs.unlinked.notified() => {}
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

impl Logs {
    /// One round over everything.
    async fn sweep(&self) -> Result<(), StoreError> {
        loop {
            let read = |tx: Tx| async move { UNLINKED.page(&tx, KeyParts::new(), None, PAGE).await };
            let page = self.parts.store.read(read).await?;
            if page.records.is_empty() {
                break;
            }
            for unlinked in page.records {
                self.sweep_unlinked(&unlinked).await?;
            }
        }
        self.sweep_expired().await
    }

    async fn sweep_unlinked(&self, unlinked: &Unlinked) -> Result<(), StoreError> {
        let store = &self.parts.store;
        match &unlinked.stream_id {
            Some(stream_id) => self.sweep_stream(&unlinked.group_id, stream_id).await?,
            None => {
                for prefix in events::group_prefixes(&unlinked.group_id) {
                    store.sweep(&prefix).await?;
                }
                self.sweep_streams(&unlinked.group_id).await?;
            }
        }
        store
            .write(|tx| async move {
                if unlinked.stream_id.is_none() {
                    tx.delete(&bytes_key(&unlinked.group_id))?;
                }
                UNLINKED.delete(&tx, unlinked.key()).await.map(|_| ())
            })
            .await
    }

    async fn sweep_streams(&self, group_id: &str) -> Result<(), StoreError> {
        loop {
            let step = self.parts.store.write(|tx| async move {
                let page = STREAMS.page(&tx, group_id, None, STEP).await?;
                for stream in &page.records {
                    STREAMS.delete(&tx, stream.key()).await?;
                }
                Ok::<_, StoreError>(page.cursor.is_some())
            });
            if !step.await? {
                return Ok(());
            }
        }
    }

    async fn sweep_stream(&self, group_id: &str, stream_id: &str) -> Result<(), StoreError> {
        loop {
            let step = self.parts.store.write(|tx| async move {
                let (pointers, more) = events::pointers_of_stream(&tx, group_id, stream_id, STEP).await?;
                remove(&tx, group_id, &pointers).await?;
                Ok::<_, StoreError>(more)
            });
            if !step.await? {
                return Ok(());
            }
        }
    }

    async fn sweep_expired(&self) -> Result<(), StoreError> {
        let now = self.parts.clock.now().millis();
        let mut after: Option<bytes::Bytes> = None;
        loop {
            let from = after.as_deref();
            let read = |tx: Tx| async move { GROUPS.page(&tx, KeyParts::new(), from, PAGE).await };
            let page = self.parts.store.read(read).await?;
            for Group { id, retention, .. } in &page.records {
                if let Some(days) = retention {
                    self.remove_before(id, now - days * DAY).await?;
                }
            }
            match page.cursor {
                Some(cursor) => after = Some(cursor),
                None => return Ok(()),
            }
        }
    }

    async fn remove_before(&self, group_id: &str, moment: i64) -> Result<(), StoreError> {
        let window = &Window { from: None, to: Some(moment), after: None, direction: Direction::Forward };
        loop {
            let step = self.parts.store.write(|tx| async move {
                let (pointers, more) = events::pointers(&tx, group_id, window, STEP).await?;
                remove(&tx, group_id, &pointers).await?;
                Ok::<_, StoreError>(more)
            });
            if !step.await? {
                return Ok(());
            }
        }
    }
}

async fn remove(tx: &Tx, group_id: &str, pointers: &[Pointer]) -> Result<(), StoreError> {
    match events::remove(tx, group_id, pointers).await? {
        0 => Ok(()),
        freed => tx.add(&bytes_key(group_id), -i64::try_from(freed).unwrap_or(0)),
    }
}
