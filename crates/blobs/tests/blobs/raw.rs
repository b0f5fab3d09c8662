//! A whole store's blobs, as `move`, `backup` and `restore` copy them.

use std::collections::BTreeMap;
use std::convert::Infallible;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use homeport_blobs::{BlobError, Blobs, Listed, WRITE_PART};
use homeport_core::SeededRandomness;

use crate::{files, pattern, read};

/// Copies all blobs from one store to another, and says what was copied.
pub(crate) async fn copy(from: &Blobs, to: &Blobs) -> BTreeMap<(String, String), u64> {
    let listed: Vec<Listed> = from.list_all().try_collect().await.unwrap();
    let mut copied = BTreeMap::new();
    for blob in listed {
        let reader = from.read_raw(&blob.owner, &blob.id).await.unwrap();
        let size = to.write_raw(&blob.owner, &blob.id, reader).await.unwrap();
        assert_eq!(size, blob.size);
        copied.insert((blob.owner, blob.id.to_string()), size);
    }
    copied
}

#[tokio::test]
async fn a_copy_has_every_owners_blobs_under_their_ids() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (from, random) = (Blobs::folder(one.path(), "s3").unwrap(), SeededRandomness::new(1));
    let to = Blobs::folder(two.path(), "s3").unwrap();
    let object = from.put(&random, pattern(2 * WRITE_PART + 5).into()).await.unwrap();
    let empty = from.put(&random, Bytes::new()).await.unwrap();
    let package = from.of("lambda").put(&random, Bytes::from_static(b"package")).await.unwrap();
    std::fs::write(one.path().join("s3/stray"), b"no blob").unwrap();
    std::fs::write(one.path().join("s3").join(object.as_str()), b"a blob's name in no blob's place").unwrap();

    let copied = copy(&from, &to).await;
    let name = |owner: &str, id: &homeport_blobs::BlobId| (owner.to_owned(), id.to_string());
    let expected = [
        (name("s3", &object), 2 * WRITE_PART as u64 + 5),
        (name("s3", &empty), 0),
        (name("lambda", &package), 7),
    ];
    assert_eq!(copied, BTreeMap::from(expected));
    assert_eq!(read(&to, &object, None).await, pattern(2 * WRITE_PART + 5));
    assert_eq!(read(&to.of("lambda"), &package, None).await, b"package");
    // Done again, as after an interruption, it changes nothing.
    assert_eq!(copy(&from, &to).await, copied);
    assert_eq!(files(two.path()).len(), 3);
}

#[tokio::test]
async fn a_stream_that_ends_by_an_error_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::folder(folder.path(), "s3").unwrap();
    let id = Blobs::in_memory("s3").put(&SeededRandomness::new(1), Bytes::new()).await.unwrap();
    let broken = stream::iter([Ok(Bytes::from_static(b"half")), Err(std::io::Error::other("cut off"))]);
    let told = blobs.write_raw("s3", &id, broken).await.unwrap_err().to_string();
    assert!(told.contains("cut off"), "{told}");
    assert!(files(folder.path()).is_empty());
}

#[tokio::test]
async fn an_owners_name_leads_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::folder(&folder.path().join("blobs"), "s3").unwrap();
    let id = blobs.put(&SeededRandomness::new(1), Bytes::from_static(b"kept")).await.unwrap();
    let bytes = || stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"x"))]).boxed();
    let long = "a".repeat(33);
    for owner in ["", "..", "../s3", "S3", "s3/", "a b", "a.b", "é", long.as_str()] {
        assert!(matches!(blobs.write_raw(owner, &id, bytes()).await, Err(BlobError::NoOwner(_))), "{owner}");
        assert!(matches!(blobs.read_raw(owner, &id).await, Err(BlobError::NoOwner(_))), "{owner}");
    }
    assert_eq!(files(folder.path()).len(), 1);
    blobs.write_raw("cloud-9", &id, bytes()).await.unwrap();
    assert_eq!(read(&blobs.of("cloud-9"), &id, None).await, b"x");
}
