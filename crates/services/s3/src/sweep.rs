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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use homeport_blobs::{BlobError, Blobs};
    use homeport_core::{Account, SeededRandomness};
    use homeport_service::Installation;
    use homeport_store::{Store, StoreError};

    use super::*;

    #[tokio::test]
    async fn bytes_stay_where_their_record_may_have_been_written() {
        let installation = Installation {
            account: Account::from_number(123_456_789_012),
            public_urls: vec!["http://a".to_owned()],
            aws_issuer: false,
            functions_url: None,
        };
        let service = S3 {
            store: Store::testkit(1),
            blobs: Blobs::in_memory("s3"),
            policies: Arc::default(),
            installation: Arc::new(installation),
            needs: Arc::default(),
        };
        let id = service.blobs.put(&SeededRandomness::new(1), Bytes::from_static(b"bytes")).await.unwrap();
        let unknown = S3Error::Store(StoreError::Away("the answer was lost".into()));
        service.discard_unwritten(id.as_str(), &unknown).await;
        service.blobs.read(&id, None).await.unwrap();
        service.discard_unwritten(id.as_str(), &S3Error::Store(StoreError::Conflict)).await;
        assert!(matches!(service.blobs.read(&id, None).await, Err(BlobError::NotFound)));
    }
}
