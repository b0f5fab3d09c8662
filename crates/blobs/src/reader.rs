use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt, TryStreamExt};
use object_store::{GetResult, GetResultPayload};

use crate::BlobError;

/// The most bytes that a reader holds, and gives at once.
pub const READ_CHUNK: usize = 256 * 1024;

/// The bytes of a blob as they are read: a stream that holds at most [`READ_CHUNK`] bytes.
pub struct BlobReader {
    length: u64,
    chunks: BoxStream<'static, Result<Bytes, BlobError>>,
}

impl BlobReader {
    pub(crate) fn new(found: GetResult) -> Self {
        let range = found.range;
        let chunks = match found.payload {
            GetResultPayload::File(file, _) => file_chunks(file, range.start, range.end),
            GetResultPayload::Stream(chunks) => chunks.map_err(BlobError::from).boxed(),
        };
        Self { length: range.end - range.start, chunks }
    }

    /// How many bytes will be given, if nothing fails.
    pub fn length(&self) -> u64 {
        self.length
    }
}

impl Stream for BlobReader {
    type Item = Result<Bytes, BlobError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.chunks.poll_next_unpin(cx)
    }
}

/// In larger steps than `object_store`'s own 8 KiB, as each is a trip to the blocking threads.
fn file_chunks(file: File, from: u64, to: u64) -> BoxStream<'static, Result<Bytes, BlobError>> {
    stream::try_unfold((file, from), move |(mut file, at)| async move {
        if at >= to {
            return Ok(None);
        }
        let length = usize::try_from(to - at).unwrap_or(READ_CHUNK).min(READ_CHUNK);
        let read = tokio::task::spawn_blocking(move || {
            let mut buffer = vec![0; length];
            file.seek(SeekFrom::Start(at))?;
            file.read_exact(&mut buffer)?;
            Ok::<_, std::io::Error>((Bytes::from(buffer), file))
        });
        let (bytes, file) = read.await.map_err(BlobError::failed)?.map_err(BlobError::failed)?;
        Ok(Some((bytes, (file, at + length as u64))))
    })
    .boxed()
}
