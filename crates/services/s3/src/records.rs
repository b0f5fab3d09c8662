//! What the store holds of buckets and objects; the only file that knows the layout of keys.

use std::collections::BTreeMap;

use homeport_blobs::BlobId;
use homeport_core::{Account, Timestamp};
use homeport_service::needs::Pinned;
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

/// Multipart uploads that are under way, by the bucket's generation, the key and the upload's id.
pub(crate) const UPLOADS: Collection<Upload> = Collection::new();

/// Parts, by the bucket's generation, the upload's id and the number: of uploads, and of the objects they became.
pub(crate) const PARTS: Collection<Part> = Collection::new();

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

/// A bucket's policy.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct BucketPolicy {
    /// As it was put.
    pub(crate) text: String,
    /// Whom it means; nobody was pinned in records of older versions, where the ARNs count.
    #[serde(default)]
    pub(crate) principals: Pinned,
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

/// An object: what is known of it, and where its bytes are.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Object {
    pub(crate) generation: String,
    pub(crate) key: String,
    pub(crate) stored: Stored,
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
    /// Whether SSE-S3 was asked for, and is told.
    #[serde(default)]
    pub(crate) sse: bool,
}

/// Where an object's bytes are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stored {
    /// In one blob.
    Blob(String),
    /// In the parts of the upload with this id, in the order of their numbers.
    Parts(String),
}

/// A checksum of an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Checksum {
    pub(crate) algorithm: Algorithm,
    /// In base64; a composite one with a hyphen and the number of parts behind it.
    pub(crate) value: String,
    /// Whether it is taken over the checksums of the parts, not over the bytes.
    pub(crate) composite: bool,
}

impl Checksum {
    /// AWS's `ChecksumType`.
    pub(crate) fn kind(composite: bool) -> &'static str {
        if composite { "COMPOSITE" } else { "FULL_OBJECT" }
    }
}

/// A multipart upload that is under way: what its object will be.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Upload {
    pub(crate) generation: String,
    pub(crate) key: String,
    pub(crate) id: String,
    pub(crate) initiated: Timestamp,
    pub(crate) content: ContentHeaders,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) storage_class: Option<String>,
    #[serde(default)]
    pub(crate) sse: bool,
    pub(crate) algorithm: Algorithm,
    pub(crate) composite: bool,
}

impl Record for Upload {
    const COLLECTION: &'static str = "s3-uploads";
    const VERSION: u16 = 1;

    fn key(&self) -> KeyParts {
        upload_key(&self.generation, &self.key, &self.id)
    }
}

/// One part of a multipart upload, or of the object it became.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) generation: String,
    pub(crate) upload: String,
    pub(crate) number: u64,
    pub(crate) blob: String,
    pub(crate) size: u64,
    /// The MD5 in hexadecimal.
    pub(crate) etag: String,
    /// By the upload's algorithm, in base64.
    pub(crate) checksum: String,
    pub(crate) last_modified: Timestamp,
}

impl Record for Part {
    const COLLECTION: &'static str = "s3-parts";
    const VERSION: u16 = 1;

    fn key(&self) -> KeyParts {
        parts_of(&self.generation, &self.upload).u64(self.number)
    }
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

    /// Its parts, where it has some.
    pub(crate) async fn parts(&self, tx: &Tx) -> Result<Vec<Part>, StoreError> {
        match &self.stored {
            Stored::Blob(_) => Ok(Vec::new()),
            Stored::Parts(upload) => parts(tx, &self.generation, upload).await,
        }
    }
}

pub(crate) fn upload_key(generation: &str, key: &str, id: &str) -> KeyParts {
    object_key(generation, key).str(id)
}

/// Where the parts of an upload are.
pub(crate) fn parts_of(generation: &str, upload: &str) -> KeyParts {
    KeyParts::new().str(generation).str(upload)
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

/// Says whose a blob is: the generation of its bucket.
fn blob_key(blob: &str) -> Key {
    Key::of("s3-blobs").str(blob)
}

/// Is there as long as the bucket is.
fn generation_key(generation: &str) -> Key {
    Key::of("s3-generations").str(generation)
}

/// Puts a new bucket.
pub(crate) async fn put_bucket(tx: &Tx, bucket: &Bucket) -> Result<(), StoreError> {
    tx.put(&generation_key(&bucket.generation), Vec::new())?;
    tx.add(&bucket_count(bucket.account), 1)?;
    BUCKETS.put(tx, bucket).await
}

/// Unlinks a bucket: what is left of its generation is nobody's.
pub(crate) async fn delete_bucket(tx: &Tx, bucket: &Bucket) -> Result<(), StoreError> {
    tx.delete(&generation_key(&bucket.generation))?;
    tx.add(&bucket_count(bucket.account), -1)?;
    BUCKETS.delete(tx, &bucket.name).await?;
    Ok(())
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

/// Makes a blob an object's or a part's.
pub(crate) fn name_blob(tx: &Tx, generation: &str, blob: &str) -> Result<(), StoreError> {
    tx.put(&blob_key(blob), generation.as_bytes().to_vec())
}

/// Puts an object in place of the one before, whose blobs are returned: they are nobody's any more. The object's
/// own blobs have been named.
pub(crate) async fn put_object(
    tx: &Tx,
    object: &Object,
    before: Option<&Object>,
) -> Result<Vec<String>, StoreError> {
    OBJECTS.put(tx, object).await?;
    match before {
        Some(before) => release(tx, &before.generation, &before.stored).await,
        None => Ok(Vec::new()),
    }
}

/// Deletes an object and returns its blobs, if it was there.
pub(crate) async fn delete_object(tx: &Tx, generation: &str, key: &str) -> Result<Vec<String>, StoreError> {
    match OBJECTS.delete(tx, object_key(generation, key)).await? {
        Some(before) => release(tx, generation, &before.stored).await,
        None => Ok(Vec::new()),
    }
}

/// Lets go of an object's bytes and returns the blobs that were named.
pub(crate) async fn release(tx: &Tx, generation: &str, stored: &Stored) -> Result<Vec<String>, StoreError> {
    match stored {
        Stored::Blob(blob) => {
            tx.delete(&blob_key(blob))?;
            Ok(vec![blob.clone()])
        }
        Stored::Parts(upload) => {
            let mut blobs = Vec::new();
            for part in parts(tx, generation, upload).await? {
                blobs.push(release_part(tx, part).await?);
            }
            Ok(blobs)
        }
    }
}

/// Lets go of one part and returns its blob.
pub(crate) async fn release_part(tx: &Tx, part: Part) -> Result<String, StoreError> {
    tx.delete(&blob_key(&part.blob))?;
    PARTS.delete(tx, part.key()).await?;
    Ok(part.blob)
}

/// All parts of an upload, by number: at most 10,000.
pub(crate) async fn parts(tx: &Tx, generation: &str, upload: &str) -> Result<Vec<Part>, StoreError> {
    let (mut parts, mut from) = (Vec::new(), None::<bytes::Bytes>);
    loop {
        let page = PARTS.page(tx, parts_of(generation, upload), from.as_deref(), 1_000).await?;
        parts.extend(page.records);
        match page.cursor {
            Some(cursor) => from = Some(cursor),
            None => return Ok(parts),
        }
    }
}

/// Which of these blobs belong to an object or a part of a bucket that is there.
pub(crate) async fn named(tx: &Tx, blobs: &[BlobId]) -> Result<Vec<bool>, StoreError> {
    let keys: Vec<Key> = blobs.iter().map(|blob| blob_key(blob.as_str())).collect();
    let owners = tx.get_many(&keys).await?;
    let generations: Vec<Key> = owners
        .iter()
        .map(|owner| generation_key(&String::from_utf8_lossy(owner.as_deref().unwrap_or_default())))
        .collect();
    let there = tx.get_many(&generations).await?;
    Ok(owners.iter().zip(there).map(|(owner, bucket)| owner.is_some() && bucket.is_some()).collect())
}

/// How many buckets an account has.
pub(crate) fn bucket_count(account: Account) -> Key {
    Key::of("s3-bucket-count").str(account.to_string())
}
