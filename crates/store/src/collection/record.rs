use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Index;
use crate::{KeyParts, StoreError};

/// A typed record of a [`Collection`](super::Collection). Stored as its version (2 bytes) and JSON.
///
/// To change a record's form: raise [`Self::VERSION`] and teach [`Self::upgrade`] the form before, so that an
/// old folder opens in a new program. A record newer than the program is refused, never guessed at.
pub trait Record: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    /// The collection's name: the first part of its keys, unique in the program, without `#`.
    const COLLECTION: &'static str;
    /// The version of the form that this program writes; begins at 1.
    const VERSION: u16;
    /// Whether [`Store::watch`](crate::Store::watch) tells of changes: for what caches live by (policies,
    /// keys, pools, routes), never for items.
    const WATCHED: bool = false;

    /// The primary key behind the collection's name. It never changes during a record's life.
    fn key(&self) -> KeyParts;

    /// The indexes. An index that changes its meaning takes a new name.
    fn indexes() -> &'static [Index<Self>] {
        &[]
    }

    /// Reads the form of an older version.
    ///
    /// # Errors
    /// When the form is not what that version wrote.
    fn upgrade(version: u16, json: serde_json::Value) -> Result<Self, UpgradeError> {
        let _ = json;
        Err(UpgradeError(format!("version {version} is unknown")))
    }
}

/// Why an older record did not read. Its text names the place, never the content.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UpgradeError(pub String);

impl From<serde_json::Error> for UpgradeError {
    fn from(error: serde_json::Error) -> Self {
        Self(place(&error))
    }
}

pub(super) fn encode<R: Record>(record: &R) -> Result<Bytes, StoreError> {
    let mut bytes = R::VERSION.to_be_bytes().to_vec();
    serde_json::to_writer(&mut bytes, record).map_err(|error| bad::<R>(place(&error)))?;
    Ok(Bytes::from(bytes))
}

pub(super) fn decode<R: Record>(bytes: &[u8]) -> Result<R, StoreError> {
    let Some((version, json)) = bytes.split_first_chunk() else {
        return Err(bad::<R>("it has no version".into()));
    };
    let version = u16::from_be_bytes(*version);
    match version.cmp(&R::VERSION) {
        std::cmp::Ordering::Equal => serde_json::from_slice(json).map_err(|error| bad::<R>(place(&error))),
        std::cmp::Ordering::Greater => Err(StoreError::NewerRecord { collection: R::COLLECTION, version }),
        std::cmp::Ordering::Less => {
            let json = serde_json::from_slice(json).map_err(|error| bad::<R>(place(&error)))?;
            R::upgrade(version, json).map_err(|error| bad::<R>(error.0))
        }
    }
}

fn bad<R: Record>(reason: String) -> StoreError {
    StoreError::BadRecord { collection: R::COLLECTION, reason }
}

/// Where reading stopped and why, in words that can't quote the record (serde's own may).
fn place(error: &serde_json::Error) -> String {
    format!("{:?} error at line {} column {}", error.classify(), error.line(), error.column())
}
