use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload};

use crate::{BlobError, BlobId};

/// What a writer into a folder holds before it passes it on, in bytes.
pub const WRITE_PART: usize = 1 << 20;

/// A blob that is being written. Dropped before [`finish`](Self::finish), it never was.
pub struct BlobWriter {
    id: BlobId,
    store: Arc<dyn ObjectStore>,
    path: Path,
    part: usize,
    /// Begun by the first full part: a blob that is smaller is written at once.
    upload: Option<Box<dyn MultipartUpload>>,
    held: Held,
}

impl BlobWriter {
    pub(crate) fn new(store: Arc<dyn ObjectStore>, path: Path, part: usize, id: BlobId) -> Self {
        Self { id, store, path, part, upload: None, held: Held::default() }
    }

    /// Appends bytes. Waits for the disk or the cluster when a part is full: 1 MiB, or 5 MiB in an S3 cluster.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), BlobError> {
        self.held.push(bytes);
        while self.held.length >= self.part {
            let part = self.held.take(self.part);
            let upload = match &mut self.upload {
                Some(upload) => upload,
                none => {
                    let begun = self.store.put_multipart(&self.path).await;
                    none.insert(begun.map_err(BlobError::of_writing)?)
                }
            };
            upload.put_part(part).await.map_err(BlobError::of_writing)?;
        }
        Ok(())
    }

    /// Ends the blob: it is whole and durable when this returns.
    pub async fn finish(mut self) -> Result<BlobId, BlobError> {
        let rest = self.held.take(self.held.length);
        match &mut self.upload {
            None => drop(self.store.put(&self.path, rest).await.map_err(BlobError::of_writing)?),
            Some(upload) => {
                if rest.content_length() > 0 {
                    upload.put_part(rest).await.map_err(BlobError::of_writing)?;
                }
                upload.complete().await.map_err(BlobError::of_writing)?;
            }
        }
        self.upload = None;
        Ok(self.id.clone())
    }
}

/// Nobody waits for the end of what is given up.
impl Drop for BlobWriter {
    fn drop(&mut self) {
        let Some(mut upload) = self.upload.take() else { return };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                // Where this fails, the sweep or the bucket's lifecycle rule removes the parts.
                drop(upload.abort().await);
            });
        }
    }
}

/// The upload's own would tell how it signs.
impl fmt::Debug for BlobWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlobWriter({})", self.path)
    }
}

/// Bytes that were not passed on yet.
#[derive(Default)]
struct Held {
    chunks: VecDeque<Bytes>,
    length: usize,
}

impl Held {
    fn push(&mut self, bytes: Bytes) {
        self.length += bytes.len();
        self.chunks.push_back(bytes);
    }

    /// The first `length` bytes: clusters exist that want all parts but the last of one size.
    fn take(&mut self, length: usize) -> PutPayload {
        let mut taken = Vec::new();
        let mut missing = length;
        while missing > 0 {
            let Some(mut chunk) = self.chunks.pop_front() else { break };
            if chunk.len() > missing {
                self.chunks.push_front(chunk.split_off(missing));
            }
            missing -= chunk.len();
            taken.push(chunk);
        }
        self.length -= length - missing;
        PutPayload::from_iter(taken)
    }
}
