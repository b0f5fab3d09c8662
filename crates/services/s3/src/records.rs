//! What the store holds of buckets and objects; the only file that knows the layout of keys.

use std::collections::BTreeMap;

use homeport_blobs::BlobId;
use homeport_core::{Account, Timestamp};
use homeport_store::{Collection, Index, Key, KeyParts, Record, StoreError, Tx};
use serde::{Deserialize, Serialize};

use crate::checksum::Algorithm;
use crate::cors::CorsRule;
use crate::error::S3Error;
use crate::object_headers::ContentHeaders;

/// Buckets, by name: names are the whole installation's, whatever account or region.
pub(crate) const BUCKETS: Collection<Bucket> = Collection::new();

/// Objects, by the bucket's generation and the key.
pub(crate) const OBJECTS: Collection<Object> = Collection::new();

/// A bucket.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Bucket {
    pub(crate) name: String,
    pub(crate) account: Account,
    pub(crate) region: String,
    /// Drawn anew for each bucket, so that one made again with an old name is another.
    pub(crate) generation: String,
    pub(crate) created: Timestamp,
    pub(crate) cors: Vec<CorsRule>,
    pub(crate) policy: Option<BucketPolicy>,
}

/// A bucket's policy as it was put.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct BucketPolicy {
    pub(crate) text: String,
    /// Drawn anew at each put: what the parsed form is kept by.
    pub(crate) revision: String,
}

impl Record for Bucket {
    const COLLECTION: &'static str = "s3-buckets";
    const VERSION: u16 = 1;

    fn key(&self) -> KeyParts {
        KeyParts::from(&self.name)
    }

    fn indexes() -> &'static [Index<Self>] {
        &[Index {
            name: "account",
            unique: false,
            key: |bucket| vec![(bucket.account.to_string(), &bucket.name).into()],
        }]
    }
}

/// An object: what is known of it, and the blob that has its bytes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Object {
    pub(crate) generation: String,
    pub(crate) key: String,
    pub(crate) blob: String,
    pub(crate) size: u64,
    /// Without its quotes.
    pub(crate) etag: String,
    /// In whole seconds, as HTTP says it.
    pub(crate) last_modified: Timestamp,
    pub(crate) content: ContentHeaders,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) checksum: Checksum,
    /// None: STANDARD.
    pub(crate) storage_class: Option<String>,
}

/// A checksum over the whole object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Checksum {
    pub(crate) algorithm: Algorithm,
    /// In base64.
    pub(crate) value: String,
}

impl Record for Object {
    const COLLECTION: &'static str = "s3-objects";
    const VERSION: u16 = 1;

    fn key(&self) -> KeyParts {
        object_key(&self.generation, &self.key)
    }
}

impl Object {
    /// The ETag as it is sent.
    pub(crate) fn quoted_etag(&self) -> String {
        format!("\"{}\"", self.etag)
    }
}

pub(crate) fn object_key(generation: &str, key: &str) -> KeyParts {
    KeyParts::new().str(generation).str(key)
}

/// Where a scan of the bucket's keys begins that should find `text` and all behind it.
pub(crate) fn before_keys_from(generation: &str, text: &str) -> Vec<u8> {
    let mut encoded = object_key(generation, text).as_bytes().to_vec();
    encoded.pop();
    encoded
}

/// Where a scan goes on behind every key that begins with `prefix`: no text holds the byte 0xff.
pub(crate) fn behind_keys_with(generation: &str, prefix: &str) -> Vec<u8> {
    let mut encoded = before_keys_from(generation, prefix);
    encoded.push(0xff);
    encoded
}

fn blob_key(blob: &str) -> Key {
    Key::of("s3-blobs").str(blob)
}

/// The bucket of this name; for a signed call it must be of the region that was called.
pub(crate) async fn bucket(tx: &Tx, name: &str, signed_for: Option<&str>) -> Result<Bucket, S3Error> {
    let found = BUCKETS.get(tx, name).await?;
    let bucket = found.ok_or_else(|| S3Error::NoSuchBucket { bucket: name.to_owned() })?;
    match signed_for {
        Some(called) if called != bucket.region => {
            Err(S3Error::WrongRegion { called: called.to_owned(), bucket: bucket.region })
        }
        _ => Ok(bucket),
    }
}

/// Puts an object in place of the one before, whose blob is returned: it is nobody's any more.
pub(crate) async fn put_object(
    tx: &Tx,
    object: &Object,
    before: Option<&Object>,
) -> Result<Option<String>, StoreError> {
    tx.put(&blob_key(&object.blob), Vec::new())?;
    OBJECTS.put(tx, object).await?;
    let Some(before) = before else { return Ok(None) };
    tx.delete(&blob_key(&before.blob))?;
    Ok(Some(before.blob.clone()))
}

/// Deletes an object and returns its blob, if it was there.
pub(crate) async fn delete_object(
    tx: &Tx,
    generation: &str,
    key: &str,
) -> Result<Option<String>, StoreError> {
    let Some(before) = OBJECTS.delete(tx, object_key(generation, key)).await? else { return Ok(None) };
    tx.delete(&blob_key(&before.blob))?;
    Ok(Some(before.blob))
}

/// Which of these blobs an object names.
pub(crate) async fn named(tx: &Tx, blobs: &[BlobId]) -> Result<Vec<bool>, StoreError> {
    let keys: Vec<Key> = blobs.iter().map(|blob| blob_key(blob.as_str())).collect();
    Ok(tx.get_many(&keys).await?.into_iter().map(|found| found.is_some()).collect())
}

/// How many buckets an account has.
pub(crate) fn bucket_count(account: Account) -> Key {
    Key::of("s3-bucket-count").str(account.to_string())
}
