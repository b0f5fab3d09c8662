use crate::{Direction, Key, Range, Store, StoreError};

/// Rows that one step removes.
const STEP_ROWS: usize = 500;

impl Store {
    /// Removes everything under `prefix`, up to 500 rows in a transaction. For what is already unlinked: rows put under
    /// the prefix meanwhile may stay.
    ///
    /// # Errors
    /// What the engine answers.
    pub async fn sweep(&self, prefix: &Key) -> Result<(), StoreError> {
        let mut rest = Some(Range::prefix(prefix));
        while let Some(range) = rest {
            rest = self.sweep_step(range).await?;
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// Removes the first rows of the stretch. What may be left lies behind them: from its beginning, each step would
    /// walk over all that were removed before, whose traces the engine keeps for a while.
    async fn sweep_step(&self, range: Range) -> Result<Option<Range>, StoreError> {
        let stretch = &range;
        let page = self
            .read(|tx| async move { tx.scan(stretch.clone(), Direction::Forward, STEP_ROWS).await })
            .await?;
        let keys: Vec<Key> = page.rows.iter().map(|row| Key::from_row(&row.key)).collect();
        self.write(|tx| {
            let outcome = keys.iter().try_for_each(|key| tx.delete(key));
            async move { outcome }
        })
        .await?;
        Ok(page.rows.last().filter(|_| page.more).map(|last| range.after(&last.key)))
    }
}
