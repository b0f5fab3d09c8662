//! Removing what nothing refers to any more.

use homeport_store::{KeyParts, Store, StoreError};

use super::PAGE;
use crate::records::{JOBS, SWEEPS, TOKENS, numbered_roots, roots_of};

/// Removes all that deleted tables left.
pub(super) async fn tables(store: &Store) -> Result<(), StoreError> {
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

/// Removes what lies under a number of a table, and then the job.
pub(super) async fn numbered(
    store: &Store,
    job: &str,
    table_id: &str,
    number: u64,
) -> Result<(), StoreError> {
    for root in numbered_roots(table_id, number) {
        store.sweep(&root).await?;
    }
    store.write(|tx| async move { JOBS.delete(&tx, job).await.map(drop) }).await
}

/// Removes client tokens that ran out.
pub(super) async fn tokens(store: &Store, now_ms: i64) -> Result<(), StoreError> {
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
                    let key = (token.scope.as_str(), token.token.as_str());
                    // It may have been used again meanwhile.
                    let found = TOKENS.get(&tx, key).await?;
                    if found.is_some_and(|found| found.expires_ms < now_ms) {
                        TOKENS.delete(&tx, key).await?;
                    }
                }
                Ok::<_, StoreError>(())
            })
            .await?;
    }
}
