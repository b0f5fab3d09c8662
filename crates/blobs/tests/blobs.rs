//! Blobs where the program has them: in a folder, in a folder that nodes share, in an S3 cluster.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

#[path = "blobs/folder.rs"]
mod folder;
#[path = "blobs/moto.rs"]
mod moto;
#[path = "../../store/tests/store/ports.rs"]
mod ports;
#[path = "blobs/raw.rs"]
mod raw;
#[path = "blobs/s3.rs"]
mod s3;
#[path = "blobs/shared.rs"]
mod shared;

use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use bytes::Bytes;
use futures_util::TryStreamExt;
use homeport_blobs::{BlobId, Blobs};
use homeport_core::Timestamp;

pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

pub(crate) async fn read(blobs: &Blobs, id: &BlobId, range: Option<std::ops::Range<u64>>) -> Vec<u8> {
    let chunks: Vec<Bytes> = blobs.read(id, range).await.unwrap().try_collect().await.unwrap();
    chunks.concat()
}

/// When the first of the files was written, by the file system's own clock.
pub(crate) fn written(folder: &Path) -> Timestamp {
    let modified = std::fs::metadata(&files(folder)[0]).unwrap().modified().unwrap();
    let since = modified.duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_seconds(since.as_secs().try_into().unwrap())
}

/// Bytes that differ from place to place.
pub(crate) fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|n| (n % 251) as u8).collect()
}
