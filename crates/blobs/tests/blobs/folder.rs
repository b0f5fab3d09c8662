//! Blobs in a folder of one process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use futures_util::TryStreamExt;
use homeport_blobs::{BlobError, BlobId, Blobs, SWEEP_AGE_SECONDS, WRITE_PART};
use homeport_core::SeededRandomness;

use crate::{files, pattern, read, written};

fn opened() -> (tempfile::TempDir, Blobs, SeededRandomness) {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::folder(&folder.path().join("blobs"), "s3").unwrap();
    (folder, blobs, SeededRandomness::new(7))
}

#[tokio::test]
async fn what_was_finished_is_there_and_reads_in_any_range() {
    let (_folder, blobs, random) = opened();
    let bytes = pattern(3 * WRITE_PART + 17);
    let mut writer = blobs.create(&random).await.unwrap();
    for part in bytes.chunks(100_000) {
        writer.write(Bytes::copy_from_slice(part)).await.unwrap();
    }
    let id = writer.finish().await.unwrap();
    assert_eq!(read(&blobs, &id, None).await, bytes);
    let end = bytes.len() as u64;
    for range in [0..1, 5..5 + WRITE_PART as u64, end - 1..end, 1_000..1_001] {
        let part = &bytes[range.start as usize..range.end as usize];
        assert_eq!(read(&blobs, &id, Some(range)).await, part);
    }
    assert!(matches!(blobs.read_whole(&id, end - 1).await, Err(BlobError::TooLarge { .. })));
    assert_eq!(blobs.read_whole(&id, end).await.unwrap(), bytes);
}

#[tokio::test]
async fn an_empty_blob_is_a_blob() {
    let (_folder, blobs, random) = opened();
    let id = blobs.put(&random, Bytes::new()).await.unwrap();
    assert_eq!(read(&blobs, &id, None).await, b"");
}

#[tokio::test]
async fn nothing_of_an_unfinished_blob_is_left() {
    let (folder, blobs, random) = opened();
    let mut writer = blobs.create(&random).await.unwrap();
    writer.write(Bytes::from(vec![1; 2 * WRITE_PART])).await.unwrap();
    assert_eq!(files(folder.path()).len(), 1);
    drop(writer);
    for _ in 0..100 {
        if files(folder.path()).is_empty() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("{:?}", files(folder.path()));
}

#[tokio::test]
async fn what_a_crash_left_half_written_is_removed_at_the_next_start() {
    let (folder, blobs, random) = opened();
    let kept = blobs.put(&random, Bytes::from_static(b"kept")).await.unwrap();
    let mut writer = blobs.create(&random).await.unwrap();
    writer.write(Bytes::from(vec![1; WRITE_PART])).await.unwrap();
    std::mem::forget(writer);
    assert_eq!(files(folder.path()).len(), 2);
    let again = Blobs::folder(&folder.path().join("blobs"), "s3").unwrap();
    assert_eq!(files(folder.path()).len(), 1);
    assert_eq!(read(&again, &kept, None).await, b"kept");
}

#[tokio::test]
async fn a_deleted_blob_is_gone_but_an_open_reader_ends_well() {
    let (_folder, blobs, random) = opened();
    let id = blobs.put(&random, Bytes::from(vec![7; 2 * WRITE_PART])).await.unwrap();
    let reader = blobs.read(&id, None).await.unwrap();
    blobs.delete(&id).await.unwrap();
    blobs.delete(&id).await.unwrap();
    assert!(matches!(blobs.read(&id, None).await, Err(BlobError::NotFound)));
    let chunks: Vec<Bytes> = reader.try_collect().await.unwrap();
    assert_eq!(chunks.concat().len(), 2 * WRITE_PART);
}

#[tokio::test]
async fn the_sweep_takes_old_blobs_that_no_record_names() {
    let (folder, blobs, random) = opened();
    let named = blobs.put(&random, Bytes::from_static(b"named")).await.unwrap();
    let orphan = blobs.put(&random, Bytes::from_static(b"orphan")).await.unwrap();
    let other = blobs.of("lambda").put(&random, Bytes::from_static(b"package")).await.unwrap();
    let is_named = async |ids: Vec<BlobId>| Ok::<_, BlobError>(ids.iter().map(|id| *id == named).collect());
    let now = written(folder.path());
    assert_eq!(blobs.sweep(now, is_named).await.unwrap(), 0);
    let later = now.plus_seconds(SWEEP_AGE_SECONDS + 60);
    assert_eq!(blobs.sweep(later, is_named).await.unwrap(), 1);
    assert!(matches!(blobs.read(&orphan, None).await, Err(BlobError::NotFound)));
    assert_eq!(read(&blobs, &named, None).await, b"named");
    assert_eq!(read(&blobs.of("lambda"), &other, None).await, b"package");
}

#[tokio::test]
async fn the_folder_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, _blobs, _) = opened();
    let mode = std::fs::metadata(folder.path().join("blobs")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

/// Held until it is told otherwise.
fn holding(blobs: &Blobs) -> Arc<AtomicBool> {
    let held = Arc::new(AtomicBool::new(true));
    let answer = held.clone();
    blobs.of("lambda").hold().ask(move || {
        let held = answer.load(Ordering::Relaxed);
        Box::pin(async move { held })
    });
    held
}

#[tokio::test]
async fn while_blobs_are_held_none_is_removed() {
    let (folder, blobs, random) = opened();
    let deleted = blobs.put(&random, Bytes::from_static(b"deleted")).await.unwrap();
    let package = blobs.of("lambda").put(&random, Bytes::from_static(b"package")).await.unwrap();
    let later = written(folder.path()).plus_seconds(SWEEP_AGE_SECONDS + 60);
    let unnamed = async |ids: Vec<BlobId>| Ok::<_, BlobError>(vec![false; ids.len()]);
    let held = holding(&blobs);
    blobs.delete(&deleted).await.unwrap();
    blobs.of("lambda").delete(&package).await.unwrap();
    assert_eq!(blobs.sweep(later, unnamed).await.unwrap(), 0);
    assert_eq!(read(&blobs, &deleted, None).await, b"deleted");
    assert_eq!(read(&blobs.of("lambda"), &package, None).await, b"package");
    held.store(false, Ordering::Relaxed);
    assert_eq!(blobs.sweep(later, unnamed).await.unwrap(), 1);
    assert!(matches!(blobs.read(&deleted, None).await, Err(BlobError::NotFound)));
    blobs.of("lambda").delete(&package).await.unwrap();
    assert!(files(folder.path()).is_empty());
}

#[tokio::test]
async fn a_hold_that_comes_while_the_sweep_asks_stops_it() {
    let (folder, blobs, random) = opened();
    blobs.put(&random, Bytes::from_static(b"kept")).await.unwrap();
    let later = written(folder.path()).plus_seconds(SWEEP_AGE_SECONDS + 60);
    let held = holding(&blobs);
    held.store(false, Ordering::Relaxed);
    let unnamed = async |ids: Vec<BlobId>| {
        held.store(true, Ordering::Relaxed);
        Ok::<_, BlobError>(vec![false; ids.len()])
    };
    assert_eq!(blobs.sweep(later, unnamed).await.unwrap(), 0);
    assert_eq!(files(folder.path()).len(), 1);
}
