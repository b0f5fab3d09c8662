//! Blobs on their way.

use std::collections::HashMap;

use aws_lc_rs::digest::{Context, Digest, SHA256};
use futures_util::TryStreamExt;
use homeport_blobs::{BlobError, BlobId, Blobs, Listed};
use serde::{Deserialize, Serialize};

use super::progress::Unit;
use super::{MovingError, Opened, Progress};

/// How many are copied at once: each waits for a disk or a cluster most of the time.
const AT_ONCE: usize = 8;

/// How many blobs, and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BlobTally {
    pub(crate) blobs: u64,
    pub(crate) bytes: u64,
}

impl BlobTally {
    pub(super) fn add(&mut self, bytes: u64) {
        self.blobs = self.blobs.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

/// The blobs that are in a place, with their sizes.
pub(super) struct There(HashMap<u128, u64>);

impl There {
    pub(super) async fn list(blobs: &Blobs) -> Result<Self, BlobError> {
        let listed = blobs.list_all().map_ok(|blob| (number(&blob.id), blob.size));
        listed.try_collect().await.map(Self)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it is there whole: blobs are never changed, and appear whole.
    pub(super) fn has(&self, id: &BlobId, size: u64) -> bool {
        self.0.get(&number(id)) == Some(&size)
    }
}

/// An id is 128 random bits, no two owners have the same.
fn number(id: &BlobId) -> u128 {
    u128::from_str_radix(id.as_str(), 16).unwrap_or_default()
}

/// All blobs of a place.
pub(super) async fn tally(blobs: &Blobs) -> Result<BlobTally, BlobError> {
    let add = |mut tally: BlobTally, blob: Listed| async move {
        tally.add(blob.size);
        Ok(tally)
    };
    blobs.list_all().try_fold(BlobTally::default(), add).await
}

/// Copies what isn't there yet, reads each copy again, and compares the lists at the end.
pub(super) async fn copy(
    from: &Opened,
    to: &Opened,
    progress: &mut Progress,
) -> Result<BlobTally, MovingError> {
    let there = There::list(&to.blobs).await?;
    progress.begin("Copying blobs", Unit::Bytes, tally(&from.blobs).await?.bytes);
    let listed = from.blobs.list_all().map_err(MovingError::from);
    let known = &there;
    let copied = listed.map_ok(|blob| async move {
        if !known.has(&blob.id, blob.size) {
            copy_one(&from.blobs, to, &blob).await?;
        }
        Ok(blob.size)
    });
    let mut copied = copied.try_buffer_unordered(AT_ONCE);
    while let Some(size) = copied.try_next().await? {
        progress.add(size);
    }
    progress.end();
    drop(copied);
    drop(there);
    compare(&from.blobs, to).await
}

async fn copy_one(from: &Blobs, to: &Opened, blob: &Listed) -> Result<(), MovingError> {
    let mut sent = Context::new(&SHA256);
    let bytes = from.read_raw(&blob.owner, &blob.id).await?;
    let size =
        to.blobs.write_raw(&blob.owner, &blob.id, bytes.inspect_ok(|chunk| sent.update(chunk))).await?;
    let arrived = sum(&to.blobs, &blob.owner, &blob.id).await?;
    if size != blob.size || arrived.as_ref() != sent.finish().as_ref() {
        return Err(not_the_same(to, &blob.id));
    }
    Ok(())
}

pub(super) async fn sum(blobs: &Blobs, owner: &str, id: &BlobId) -> Result<Digest, BlobError> {
    let mut sum = Context::new(&SHA256);
    let mut bytes = blobs.read_raw(owner, id).await?;
    while let Some(chunk) = bytes.try_next().await? {
        sum.update(&chunk);
    }
    Ok(sum.finish())
}

pub(super) fn not_the_same(to: &Opened, id: &BlobId) -> MovingError {
    MovingError::NotTheSame { place: to.place.clone(), what: format!("blob {id}") }
}

async fn compare(from: &Blobs, to: &Opened) -> Result<BlobTally, MovingError> {
    let there = There::list(&to.blobs).await?;
    let mut tally = BlobTally::default();
    let mut listed = from.list_all();
    while let Some(blob) = listed.try_next().await? {
        if !there.has(&blob.id, blob.size) {
            return Err(not_the_same(to, &blob.id));
        }
        tally.add(blob.size);
    }
    Ok(tally)
}
