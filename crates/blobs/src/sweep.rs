use std::future::Future;
use std::time::UNIX_EPOCH;

use futures_util::{StreamExt, TryStreamExt};
use homeport_core::Timestamp;
use object_store::path::Path;

use crate::{BlobError, BlobId, Blobs, staged};

/// A blob that no record names is removed when it is this old, in seconds: longer than any upload takes.
pub const SWEEP_AGE_SECONDS: i64 = 24 * 60 * 60;

/// How many blobs the sweep asks about at once.
const SWEEP_BATCH: usize = 500;

impl Blobs {
    /// Removes the blobs that are older than [`SWEEP_AGE_SECONDS`] and that no record names, and says how many; and
    /// files half-written that long ago. `named` is asked about batches of ids and answers, in their order, which of
    /// them a record names. Removes nothing while blobs are [held](crate::Hold).
    pub async fn sweep<F, Fut, E>(&self, now: Timestamp, named: F) -> Result<usize, E>
    where
        F: Fn(Vec<BlobId>) -> Fut,
        Fut: Future<Output = Result<Vec<bool>, E>>,
        E: From<BlobError>,
    {
        self.sweep_half_written(now).await?;
        let prefix = Path::from(self.owner);
        let mut batches = self.store.list(Some(&prefix)).map_err(BlobError::from).chunks(SWEEP_BATCH);
        let mut removed = 0;
        while let Some(batch) = batches.next().await {
            let mut old = Vec::new();
            for listed in batch {
                let listed = listed?;
                let modified = Timestamp::from_millis(listed.last_modified.timestamp_millis());
                let id = listed.location.filename().and_then(BlobId::parse);
                old.extend(id.filter(|_| now.seconds_since(modified) > SWEEP_AGE_SECONDS));
            }
            let named = named(old.clone()).await?;
            // Asked once the records were read, this holds for all of the batch.
            if self.hold().is_set().await {
                return Ok(removed);
            }
            for (id, _) in old.iter().zip(named).filter(|(_, named)| !named) {
                self.remove(id).await?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// What another node writes at this moment is younger.
    async fn sweep_half_written(&self, now: Timestamp) -> Result<(), BlobError> {
        let Some(folders) = &self.folders else { return Ok(()) };
        let folder = folders.of(self.owner);
        let sweeping = tokio::task::spawn_blocking(move || {
            staged::remove_half_written(&folder, &|modified| {
                let since = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
                let millis = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
                now.seconds_since(Timestamp::from_millis(millis)) > SWEEP_AGE_SECONDS
            })
        });
        sweeping.await.map_err(BlobError::failed)?.map_err(BlobError::failed)
    }
}
