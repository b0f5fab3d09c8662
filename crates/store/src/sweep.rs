use crate::{Direction, Key, Range, Store, StoreError};

/// Rows that one step removes.
const STEP_ROWS: usize = 500;

impl Store {
    /// Removes up to 500 rows under `prefix`, in one transaction; true while more may be there. For what is
    /// already unlinked: rows put under the prefix meanwhile may stay.
    ///
    /// # Errors
    /// What the engine answers.
    pub async fn sweep_step(&self, prefix: &Key) -> Result<bool, StoreError> {
        let range = &Range::prefix(prefix);
        let page = self
            .read(|tx| async move { tx.scan(range.clone(), Direction::Forward, STEP_ROWS).await })
            .await?;
        let keys: Vec<Key> = page.rows.iter().map(|row| Key::from_row(&row.key)).collect();
        self.write(|tx| {
            let outcome = keys.iter().try_for_each(|key| tx.delete(key));
            async move { outcome }
        })
        .await?;
        Ok(page.more)
    }

    /// Removes everything under `prefix`, step by step.
    ///
    /// # Errors
    /// As [`Self::sweep_step`].
    pub async fn sweep(&self, prefix: &Key) -> Result<(), StoreError> {
        while self.sweep_step(prefix).await? {
            tokio::task::yield_now().await;
        }
        Ok(())
    }
}
