use std::future::Future;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use homeport_core::{Randomness, Timestamp};
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt};

use crate::staged::{self, Folders};
use crate::{BlobId, BlobReader, BlobWriter};

/// A blob that no record names is removed when it is this old, in seconds: longer than any upload takes.
pub const SWEEP_AGE_SECONDS: i64 = 24 * 60 * 60;

/// How many blobs the sweep asks about at once.
const SWEEP_BATCH: usize = 500;

/// Why a blob was not read or written.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// There is no such blob (any more).
    #[error("the blob is not there")]
    NotFound,
    /// It is longer than the caller takes.
    #[error("the blob has more than {limit} bytes")]
    TooLarge {
        /// What the caller takes, in bytes.
        limit: u64,
    },
    /// The folder or the cluster failed.
    #[error("the blob store failed: {0}")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<object_store::Error> for BlobError {
    fn from(error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { .. } => Self::NotFound,
            other => Self::Failed(Box::new(other)),
        }
    }
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> BlobError {
    BlobError::Failed(Box::new(error))
}

/// One owner's blobs in a blob store. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Blobs {
    store: Arc<dyn ObjectStore>,
    folders: Option<Arc<Folders>>,
    owner: &'static str,
}

impl Blobs {
    /// Blobs in a folder, which is made, readable by its owner only, when it is missing. What a crash left
    /// half-written, of any owner, is removed: so a folder is opened once, and [`Self::of`] gives the other owners'
    /// parts of it. Only one process may use a folder; the store's lock sees to that.
    pub fn folder(folder: &std::path::Path, owner: &'static str) -> Result<Self, BlobError> {
        let folders = Folders::make(folder).map_err(failed)?;
        staged::remove_half_written(folder).map_err(failed)?;
        let store = LocalFileSystem::new_with_prefix(folder)?.with_fsync(true);
        Ok(Self { store: Arc::new(store), folders: Some(Arc::new(folders)), owner })
    }

    /// Blobs in memory, for tests.
    pub fn in_memory(owner: &'static str) -> Self {
        Self { store: Arc::new(InMemory::new()), folders: None, owner }
    }

    /// The same store's blobs of another owner.
    #[must_use]
    pub fn of(&self, owner: &'static str) -> Self {
        Self { store: self.store.clone(), folders: self.folders.clone(), owner }
    }

    /// Begins a blob.
    pub async fn create(&self, randomness: &dyn Randomness) -> Result<BlobWriter, BlobError> {
        let id = BlobId::draw(randomness);
        let path = id.path(self.owner);
        if let Some(folders) = self.folders.clone() {
            let folder = std::path::Path::new(path.as_ref()).with_file_name("");
            let making = tokio::task::spawn_blocking(move || folders.make_below(&folder));
            making.await.map_err(failed)?.map_err(failed)?;
        }
        let upload = self.store.put_multipart(&path).await?;
        Ok(BlobWriter::new(id, upload))
    }

    /// Writes bytes that are at hand as one blob; durable when this returns.
    pub async fn put(&self, randomness: &dyn Randomness, bytes: Bytes) -> Result<BlobId, BlobError> {
        let mut writer = self.create(randomness).await?;
        writer.write(bytes).await?;
        writer.finish().await
    }

    /// Opens a blob, or a part of it, for streaming. Once opened it is read to its end even when it is deleted
    /// meanwhile.
    pub async fn read(&self, id: &BlobId, range: Option<Range<u64>>) -> Result<BlobReader, BlobError> {
        let options = GetOptions { range: range.map(GetRange::Bounded), ..GetOptions::default() };
        let found = self.store.get_opts(&id.path(self.owner), options).await?;
        Ok(BlobReader::new(found))
    }

    /// Reads a whole blob of at most `limit` bytes.
    pub async fn read_whole(&self, id: &BlobId, limit: u64) -> Result<Bytes, BlobError> {
        let found = self.store.get_opts(&id.path(self.owner), GetOptions::default()).await?;
        if found.meta.size > limit {
            return Err(BlobError::TooLarge { limit });
        }
        Ok(found.bytes().await?)
    }

    /// Deletes a blob; one that is gone already is no error. Called when no record names it any more, so a crash
    /// before it takes effect only leaves work for the sweep.
    pub async fn delete(&self, id: &BlobId) -> Result<(), BlobError> {
        match self.store.delete(&id.path(self.owner)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes the blobs that are older than [`SWEEP_AGE_SECONDS`] and that no record names, and says how many.
    /// `named` is asked about batches of ids and answers, in their order, which of them a record names.
    pub async fn sweep<F, Fut, E>(&self, now: Timestamp, named: F) -> Result<usize, E>
    where
        F: Fn(Vec<BlobId>) -> Fut,
        Fut: Future<Output = Result<Vec<bool>, E>>,
        E: From<BlobError>,
    {
        let prefix = object_store::path::Path::from(self.owner);
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
            for (id, _) in old.iter().zip(named).filter(|(_, named)| !named) {
                self.delete(id).await?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}
