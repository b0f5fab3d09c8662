use homeport_blobs::BlobId;
use homeport_core::Timestamp;

use crate::S3;
use crate::error::S3Error;
use crate::records;

impl S3 {
    /// Removes the blobs that a crash or a broken connection left without an object, and says how many. Only those
    /// older than a day, so none of an upload that is under way.
    pub async fn sweep(&self, now: Timestamp) -> Result<usize, S3Error> {
        let named = async |blobs: Vec<BlobId>| {
            let blobs = &blobs;
            Ok(self.store.read(|tx| async move { records::named(&tx, blobs).await }).await?)
        };
        self.blobs.sweep(now, named).await
    }

    /// Deletes a blob whose record was not written. Where that is not known, for the store went away in the midst of it,
    /// the sweep finds out: an object may name it.
    pub(crate) async fn discard_unwritten(&self, blob: &str, why: &S3Error) {
        if !matches!(why, S3Error::Store(error) if error.leaves_open()) {
            self.discard(vec![blob.to_owned()]).await;
        }
    }

    /// Deletes blobs that are nobody's any more. If that fails, the sweep does it.
    pub(crate) async fn discard(&self, blobs: Vec<String>) {
        for blob in blobs.iter().filter_map(|blob| BlobId::parse(blob)) {
            if let Err(error) = self.blobs.delete(&blob).await {
                tracing::warn!(%blob, %error, "a blob that no object names was not deleted; the sweep will");
            }
        }
    }
}
