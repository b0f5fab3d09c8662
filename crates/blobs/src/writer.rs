use bytes::Bytes;
use object_store::{MultipartUpload, PutPayload};

use crate::{BlobError, BlobId};

/// What a writer holds before it passes it on, in bytes.
pub const WRITE_PART: usize = 1 << 20;

/// A blob that is being written. Dropped before [`finish`](Self::finish), it never was.
#[derive(Debug)]
pub struct BlobWriter {
    id: BlobId,
    upload: Box<dyn MultipartUpload>,
    held: Vec<Bytes>,
    held_bytes: usize,
}

impl BlobWriter {
    pub(crate) fn new(id: BlobId, upload: Box<dyn MultipartUpload>) -> Self {
        Self { id, upload, held: Vec::new(), held_bytes: 0 }
    }

    /// Appends bytes; waits for the disk when more than [`WRITE_PART`] are held.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), BlobError> {
        self.held_bytes += bytes.len();
        self.held.push(bytes);
        if self.held_bytes < WRITE_PART { Ok(()) } else { self.flush().await }
    }

    /// Ends the blob: it is whole and durable when this returns.
    pub async fn finish(mut self) -> Result<BlobId, BlobError> {
        self.flush().await?;
        self.upload.complete().await?;
        Ok(self.id)
    }

    async fn flush(&mut self) -> Result<(), BlobError> {
        let part = PutPayload::from_iter(self.held.drain(..));
        self.held_bytes = 0;
        if part.content_length() > 0 {
            self.upload.put_part(part).await?;
        }
        Ok(())
    }
}
