use bytes::Bytes;
use object_store::path::Path;
use object_store::{Error, ObjectStoreExt, PutMode, PutOptions, PutPayload};

use crate::{BlobError, Blobs};

/// The object that says whose a place is; no owner's blob is called so.
const MARK: &str = "installation";

impl Blobs {
    /// Marks the place as this installation's if it is nobody's yet, and refuses another's: each of two would sweep what
    /// only the other's records name.
    pub async fn claim(&self, installation: &str) -> Result<(), BlobError> {
        let kept = match self.mark().await? {
            Some(kept) => kept,
            None => self.make_mark(installation).await?,
        };
        match kept == installation.as_bytes() {
            true => Ok(()),
            false => Err(BlobError::Place(format!(
                "the place for blobs, {}, is another installation's: name another folder, bucket or prefix",
                self.place
            ))),
        }
    }

    async fn mark(&self) -> Result<Option<Bytes>, BlobError> {
        match self.store.get(&Path::from(MARK)).await {
            Ok(found) => Ok(Some(found.bytes().await?)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The mark that is there then: of two installations that come at once one makes it.
    async fn make_mark(&self, installation: &str) -> Result<Bytes, BlobError> {
        let mark = Bytes::copy_from_slice(installation.as_bytes());
        let alone = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        match self.store.put_opts(&Path::from(MARK), PutPayload::from_bytes(mark.clone()), alone).await {
            Ok(_) => Ok(mark),
            Err(Error::AlreadyExists { .. }) => self.mark().await?.ok_or(BlobError::NotFound),
            Err(error) => Err(BlobError::of_writing(error)),
        }
    }
}
