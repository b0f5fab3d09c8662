//! Blobs in a bucket of an S3 cluster.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::TryStreamExt;
use homeport_blobs::{BlobError, BlobId, Blobs, Listed, READ_CHUNK, S3Options, SWEEP_AGE_SECONDS};
use homeport_core::SeededRandomness;

use crate::moto::Moto;
use crate::raw::copy;
use crate::{pattern, read};

const MIB: usize = 1 << 20;

fn options(port: u16, bucket: &str) -> S3Options {
    S3Options {
        endpoint: Some(format!("http://127.0.0.1:{port}")),
        bucket: bucket.to_owned(),
        prefix: "one/installation".to_owned(),
        region: "us-east-1".to_owned(),
        access_key_id: "key".to_owned(),
        secret_access_key: "the-secret-itself".to_owned(),
        more_roots: Vec::new(),
    }
}

/// A bucket of its own; none where moto isn't installed.
fn opened(bucket: &str) -> Option<(Arc<Moto>, Blobs, SeededRandomness)> {
    let moto = Moto::shared()?;
    moto.make_bucket(bucket);
    let blobs = Blobs::s3(options(moto.port(), bucket), "s3").unwrap();
    Some((moto, blobs, SeededRandomness::new(7)))
}

async fn all(blobs: &Blobs) -> Vec<Listed> {
    blobs.list_all().try_collect().await.unwrap()
}

#[tokio::test]
async fn blobs_of_every_size_read_back_whole_and_in_ranges() {
    let Some((_moto, blobs, random)) = opened("sizes") else { return };
    for length in [0, 1, 5 * MIB, 6 * MIB, 20 * MIB + 17] {
        let bytes = pattern(length);
        let mut writer = blobs.create(&random).await.unwrap();
        for part in bytes.chunks(100_000) {
            writer.write(Bytes::copy_from_slice(part)).await.unwrap();
        }
        let id = writer.finish().await.unwrap();
        let reader = blobs.read(&id, None).await.unwrap();
        assert_eq!(reader.length(), length as u64);
        let chunks: Vec<Bytes> = reader.try_collect().await.unwrap();
        assert!(chunks.iter().all(|chunk| chunk.len() <= READ_CHUNK));
        assert!(chunks.concat() == bytes, "{length}");
        let ranges = [(0, 1), (length / 3, length / 2), (length.saturating_sub(1), length)];
        for (from, to) in ranges.into_iter().filter(|(from, to)| from < to && *to <= length) {
            let part = read(&blobs, &id, Some(from as u64..to as u64)).await;
            assert!(part == bytes[from..to], "{length}: {from}..{to}");
        }
        assert!(all(&blobs).await.iter().any(|listed| listed.id == id && listed.size == length as u64));
    }
}

#[tokio::test]
async fn an_upload_that_is_given_up_leaves_nothing() {
    let Some((moto, blobs, random)) = opened("given-up") else { return };
    let uploads = || moto.ask("GET", "/given-up?uploads", "", "").matches("<UploadId>").count();
    let mut writer = blobs.create(&random).await.unwrap();
    writer.write(Bytes::from(vec![1; 11 * MIB])).await.unwrap();
    assert_eq!(uploads(), 1);
    drop(writer);
    let begun = Instant::now();
    while uploads() > 0 {
        assert!(begun.elapsed() < Duration::from_secs(10), "the upload was not aborted");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(all(&blobs).await, []);
    // One that was finished is left alone.
    let id = blobs.put(&random, Bytes::from(vec![1; 11 * MIB])).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(read(&blobs, &id, None).await.len(), 11 * MIB);
}

#[tokio::test]
async fn a_deleted_blob_is_gone_and_may_be_deleted_again() {
    let Some((_moto, blobs, random)) = opened("deleted") else { return };
    let id = blobs.put(&random, Bytes::from_static(b"here")).await.unwrap();
    assert_eq!(read(&blobs, &id, None).await, b"here");
    blobs.delete(&id).await.unwrap();
    blobs.delete(&id).await.unwrap();
    assert!(matches!(blobs.read(&id, None).await, Err(BlobError::NotFound)));
    assert!(matches!(blobs.read_whole(&id, 9).await, Err(BlobError::NotFound)));
}

#[tokio::test]
async fn the_sweep_leaves_the_young_the_named_and_other_owners() {
    let Some((_moto, blobs, random)) = opened("swept") else { return };
    let named = blobs.put(&random, Bytes::from_static(b"named")).await.unwrap();
    let orphan = blobs.put(&random, Bytes::from_static(b"orphan")).await.unwrap();
    let package = blobs.of("lambda").put(&random, Bytes::from_static(b"package")).await.unwrap();
    let is_named = async |ids: Vec<BlobId>| Ok::<_, BlobError>(ids.iter().map(|id| *id == named).collect());
    let now = all(&blobs).await[0].modified;
    assert_eq!(blobs.sweep(now, is_named).await.unwrap(), 0);
    let later = now.plus_seconds(SWEEP_AGE_SECONDS + 60);
    assert_eq!(blobs.sweep(later, is_named).await.unwrap(), 1);
    assert!(matches!(blobs.read(&orphan, None).await, Err(BlobError::NotFound)));
    assert_eq!(read(&blobs, &named, None).await, b"named");
    assert_eq!(read(&blobs.of("lambda"), &package, None).await, b"package");
    assert!(matches!(blobs.read(&package, None).await, Err(BlobError::NotFound)));
}

#[tokio::test]
async fn a_folder_moves_to_a_bucket_and_back() {
    let Some((moto, bucket, random)) = opened("moved") else { return };
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (from, back) = (Blobs::folder(one.path(), "s3").unwrap(), Blobs::folder(two.path(), "s3").unwrap());
    let object = from.put(&random, pattern(6 * MIB).into()).await.unwrap();
    let package = from.of("lambda").put(&random, Bytes::new()).await.unwrap();
    let copied = copy(&from, &bucket).await;
    assert_eq!(copied.len(), 2);
    // What lies beside the prefix belongs to others.
    moto.ask("PUT", &format!("/moved/one/s3/ab/cd/{object}"), "", "other");
    assert_eq!(copy(&bucket, &back).await, copied);
    assert!(read(&back, &object, None).await == pattern(6 * MIB));
    assert_eq!(read(&back.of("lambda"), &package, None).await, b"");
}

#[tokio::test]
async fn a_bucket_that_can_be_used_passes_the_check_and_keeps_nothing_of_it() {
    let Some((moto, blobs, random)) = opened("checked") else { return };
    blobs.check(&random).await.unwrap();
    assert!(!moto.ask("GET", "/checked", "", "").contains("<Key>"));
}

#[tokio::test]
async fn a_bucket_that_is_missing_is_told_and_is_no_missing_blob() {
    let Some((moto, _, random)) = opened("there") else { return };
    let blobs = Blobs::s3(options(moto.port(), "not-there"), "s3").unwrap();
    let told = blobs.check(&random).await.unwrap_err().to_string();
    for part in
        ["NoSuchBucket", "make the bucket first", "s3://not-there/one/installation at http://127.0.0.1"]
    {
        assert!(told.contains(part), "{told}");
    }
    let id = Blobs::in_memory("s3").put(&random, Bytes::new()).await.unwrap();
    assert!(matches!(blobs.read(&id, None).await, Err(BlobError::Failed(_))));
    assert!(matches!(blobs.put(&random, Bytes::new()).await, Err(BlobError::Failed(_))));
}

#[tokio::test]
async fn signatures_are_right_and_a_wrong_secret_is_told_but_not_shown() {
    let Some(moto) = Moto::start(&[]) else { return };
    moto.make_bucket("guarded");
    let (id, secret) = moto.make_user();
    moto.check_signatures();
    let random = SeededRandomness::new(1);
    let keyed = S3Options { access_key_id: id, secret_access_key: secret, ..options(moto.port(), "guarded") };
    let blobs = Blobs::s3(keyed.clone(), "s3").unwrap();
    blobs.check(&random).await.unwrap();
    let large = blobs.put(&random, pattern(11 * MIB).into()).await.unwrap();
    assert!(read(&blobs, &large, Some(5..6 * MIB as u64)).await == pattern(11 * MIB)[5..6 * MIB]);

    let wrong = S3Options { secret_access_key: "the-secret-itself".to_owned(), ..keyed.clone() };
    let unknown = S3Options { access_key_id: "AKIANOBODY".to_owned(), ..keyed };
    for (options, code) in [(wrong, "SignatureDoesNotMatch"), (unknown, "InvalidAccessKeyId")] {
        let blobs = Blobs::s3(options, "s3").unwrap();
        let error = blobs.check(&random).await.unwrap_err();
        let told = format!("{error} {error:?} {blobs:?} {:?}", blobs.create(&random).await.unwrap());
        assert!(told.contains(code) && told.contains("check the access key"), "{told}");
        assert!(!told.contains("the-secret-itself"), "{told}");
        assert!(matches!(blobs.read(&large, None).await, Err(BlobError::Failed(_))));
    }
}

#[tokio::test]
async fn a_cluster_that_is_away_is_told_soon() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let blobs = Blobs::s3(options(port, "bucket"), "s3").unwrap();
    let begun = Instant::now();
    let told = blobs.check(&SeededRandomness::new(1)).await.unwrap_err().to_string();
    assert!(told.contains("refused") && told.contains("is the endpoint right"), "{told}");
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_certificate_is_believed_when_its_root_was_named() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let (certificate, key) = (folder.path().join("certificate.pem"), folder.path().join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let files = ["-c", certificate.to_str().unwrap(), "-k", key.to_str().unwrap()];
    let Some(moto) = Moto::start(&files) else { return };
    let stranger = S3Options {
        endpoint: Some(format!("https://127.0.0.1:{}", moto.port())),
        ..options(moto.port(), "sealed")
    };
    let known = S3Options { more_roots: made.cert.pem().into_bytes(), ..stranger.clone() };
    let random = SeededRandomness::new(1);
    let told = Blobs::s3(stranger, "s3").unwrap().check(&random).await.unwrap_err().to_string();
    assert!(told.contains("certificate"), "{told}");
    let told = Blobs::s3(known, "s3").unwrap().check(&random).await.unwrap_err().to_string();
    assert!(told.contains("NoSuchBucket"), "{told}");
}

#[tokio::test]
async fn a_bucket_is_one_installations_alone() {
    let Some((_moto, blobs, _random)) = opened("claimed") else { return };
    blobs.claim("a").await.unwrap();
    blobs.claim("a").await.unwrap();
    assert!(blobs.claim("b").await.is_err());
    assert!(all(&blobs).await.is_empty());
}
