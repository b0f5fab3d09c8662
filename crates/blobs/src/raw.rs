//! All owners' blobs as they lie, for copying a whole store.

use std::error::Error;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt, TryFutureExt, TryStreamExt, stream};
use homeport_core::Timestamp;
use object_store::ObjectMeta;

use crate::{BlobError, BlobId, BlobReader, Blobs};

/// The longest name of an owner, in characters.
const MOST_OWNER: usize = 32;

/// A blob as it lies in its store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Whose it is.
    pub owner: String,
    /// Its name.
    pub id: BlobId,
    /// Its length in bytes.
    pub size: u64,
    /// When it was written, by the store's own clock.
    pub modified: Timestamp,
}

impl Blobs {
    /// All blobs of all owners, in no order. What is written or deleted meanwhile may be among them or not.
    pub fn list_all(&self) -> BoxStream<'static, Result<Listed, BlobError>> {
        let (root, store) = (self.store.clone(), self.store.clone());
        // Owner by owner: what else lies in the place, a disk's `lost+found` as well, need not be readable.
        let owners = async move {
            let found = root.list_with_delimiter(None).await?.common_prefixes;
            let owners = found.into_iter().filter(|prefix| checked(prefix.as_ref()).is_ok());
            Ok::<_, BlobError>(stream::iter(owners.map(Ok)))
        };
        let listed = owners.try_flatten_stream().map_ok(move |owner| {
            let listed = store.list(Some(&owner)).map_err(BlobError::from);
            listed.try_filter_map(async |meta| Ok(Listed::of(&meta)))
        });
        listed.try_flatten().boxed()
    }

    /// Opens an owner's blob.
    pub async fn read_raw(&self, owner: &str, id: &BlobId) -> Result<BlobReader, BlobError> {
        self.read_at(&id.path(checked(owner)?), None).await
    }

    /// Writes a blob under an id that it had elsewhere, in place of what is there, and says how many bytes it has;
    /// durable when this returns. Where `bytes` ends by an error, nothing is written.
    pub async fn write_raw<S, E>(&self, owner: &str, id: &BlobId, bytes: S) -> Result<u64, BlobError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let mut writer = self.create_at(checked(owner)?, id.clone()).await?;
        let mut bytes = std::pin::pin!(bytes);
        let mut size = 0;
        while let Some(chunk) = bytes.next().await {
            let chunk = chunk.map_err(|error| BlobError::Failed(error.into()))?;
            size += chunk.len() as u64;
            writer.write(chunk).await?;
        }
        writer.finish().await?;
        Ok(size)
    }
}

impl Listed {
    /// None for what is no blob.
    fn of(meta: &ObjectMeta) -> Option<Self> {
        let (owner, _) = meta.location.as_ref().split_once('/')?;
        let id = BlobId::parse(meta.location.filename()?)?;
        if id.path(checked(owner).ok()?) != meta.location {
            return None;
        }
        let modified = Timestamp::from_millis(meta.last_modified.timestamp_millis());
        Some(Self { owner: owner.to_owned(), id, size: meta.size, modified })
    }
}

/// An owner's name becomes a folder's.
fn checked(owner: &str) -> Result<&str, BlobError> {
    let fits = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-');
    match (1..=MOST_OWNER).contains(&owner.len()) && owner.bytes().all(fits) {
        true => Ok(owner),
        false => Err(BlobError::NoOwner(owner.chars().take(MOST_OWNER).collect())),
    }
}
