use std::fmt;
use std::ops::Range;
use std::path::Path as FilePath;
use std::sync::Arc;

use bytes::Bytes;
use homeport_core::Randomness;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt};

use crate::staged::{self, Folders};
use crate::{BlobError, BlobId, BlobReader, BlobWriter, Hold, WRITE_PART};

/// One owner's blobs in a blob store. Cheap to clone.
#[derive(Clone)]
pub struct Blobs {
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) folders: Option<Arc<Folders>>,
    hold: Hold,
    /// What a writer passes on at once, in bytes.
    part: usize,
    pub(crate) owner: &'static str,
    /// Where they are, for people.
    pub(crate) place: Arc<str>,
}

impl Blobs {
    /// Blobs in a folder of one process, which is made, readable by its owner only, when it is missing. What a crash
    /// left half-written, of any owner, is removed: so a folder is opened once, and [`Self::of`] gives the other
    /// owners' parts of it. Only one process may use it; the store's lock sees to that.
    pub fn folder(folder: &FilePath, owner: &'static str) -> Result<Self, BlobError> {
        Folders::make(folder).map_err(BlobError::failed)?;
        staged::remove_half_written(folder, &|_| true).map_err(BlobError::failed)?;
        Self::in_folder(folder, owner)
    }

    /// Blobs in a folder that several nodes use at once, as one on NFS. It must be there: one that is not mounted
    /// would be made anew on this node's disk, where no other node finds what is written. Half-written files may be
    /// another node's; the sweep removes those that nobody has written to for a day.
    pub fn shared_folder(folder: &FilePath, owner: &'static str) -> Result<Self, BlobError> {
        if !folder.is_dir() {
            let folder = folder.display();
            return Err(BlobError::Place(format!(
                "there is no folder {folder}: make it, or mount what the nodes share"
            )));
        }
        Self::in_folder(folder, owner)
    }

    fn in_folder(folder: &FilePath, owner: &'static str) -> Result<Self, BlobError> {
        let store = LocalFileSystem::new_with_prefix(folder)?.with_fsync(true);
        let folders = Folders::new(folder.to_owned());
        let place = folder.display().to_string();
        Ok(Self { folders: Some(Arc::new(folders)), ..Self::new(Arc::new(store), WRITE_PART, owner, place) })
    }

    /// Blobs in memory, for tests.
    pub fn in_memory(owner: &'static str) -> Self {
        Self::new(Arc::new(InMemory::new()), WRITE_PART, owner, "memory".to_owned())
    }

    pub(crate) fn new(store: Arc<dyn ObjectStore>, part: usize, owner: &'static str, place: String) -> Self {
        Self { store, folders: None, hold: Hold::default(), part, owner, place: place.into() }
    }

    /// The same store's blobs of another owner.
    #[must_use]
    pub fn of(&self, owner: &'static str) -> Self {
        Self { owner, ..self.clone() }
    }

    /// What keeps all owners' blobs while a backup copies them.
    pub fn hold(&self) -> &Hold {
        &self.hold
    }

    /// Begins a blob.
    pub async fn create(&self, randomness: &dyn Randomness) -> Result<BlobWriter, BlobError> {
        self.create_at(self.owner, BlobId::draw(randomness)).await
    }

    pub(crate) async fn create_at(&self, owner: &str, id: BlobId) -> Result<BlobWriter, BlobError> {
        let path = id.path(owner);
        if let Some(folders) = self.folders.clone() {
            let folder = FilePath::new(path.as_ref()).with_file_name("");
            let making = tokio::task::spawn_blocking(move || folders.make_below(&folder));
            making.await.map_err(BlobError::failed)?.map_err(BlobError::failed)?;
        }
        Ok(BlobWriter::new(self.store.clone(), path, self.part, id))
    }

    /// Writes bytes that are at hand as one blob; durable when this returns.
    pub async fn put(&self, randomness: &dyn Randomness, bytes: Bytes) -> Result<BlobId, BlobError> {
        let mut writer = self.create(randomness).await?;
        writer.write(bytes).await?;
        writer.finish().await
    }

    /// Opens a blob, or a part of it, for streaming. Once opened it is read to its end even when this node deletes it
    /// meanwhile; when another node does, the reader may fail.
    pub async fn read(&self, id: &BlobId, range: Option<Range<u64>>) -> Result<BlobReader, BlobError> {
        self.read_at(&id.path(self.owner), range).await
    }

    pub(crate) async fn read_at(
        &self,
        path: &Path,
        range: Option<Range<u64>>,
    ) -> Result<BlobReader, BlobError> {
        let options = GetOptions { range: range.map(GetRange::Bounded), ..GetOptions::default() };
        Ok(BlobReader::new(self.store.get_opts(path, options).await?))
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
    /// before it takes effect only leaves work for the sweep; and so does a [`Hold`].
    pub async fn delete(&self, id: &BlobId) -> Result<(), BlobError> {
        if self.hold.is_set().await {
            return Ok(());
        }
        self.remove(id).await
    }

    pub(crate) async fn remove(&self, id: &BlobId) -> Result<(), BlobError> {
        match self.store.delete(&id.path(self.owner)).await.map_err(BlobError::from) {
            Err(BlobError::NotFound) => Ok(()),
            other => other,
        }
    }
}

/// The store's own would tell how it signs.
impl fmt::Debug for Blobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blobs({} of {})", self.owner, self.place)
    }
}
