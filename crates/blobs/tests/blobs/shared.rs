//! Blobs in a folder that several nodes use at once: here two of them.

use std::time::Duration;

use bytes::Bytes;
use homeport_blobs::{BlobError, BlobId, Blobs, SWEEP_AGE_SECONDS, WRITE_PART};
use homeport_core::SeededRandomness;

use crate::{files, pattern, read, written};

fn node(folder: &tempfile::TempDir) -> Blobs {
    Blobs::shared_folder(folder.path(), "s3").unwrap()
}

#[tokio::test]
async fn what_one_node_writes_while_another_opens_and_sweeps_is_finished_and_read_there() {
    let folder = tempfile::tempdir().unwrap();
    let first = node(&folder);
    let bytes = pattern(3 * WRITE_PART);
    let mut writer = first.create(&SeededRandomness::new(1)).await.unwrap();
    writer.write(Bytes::copy_from_slice(&bytes[..WRITE_PART])).await.unwrap();
    assert_eq!(files(folder.path()).len(), 1);

    let second = node(&folder);
    let nothing = async |ids: Vec<BlobId>| Ok::<_, BlobError>(vec![false; ids.len()]);
    let now = written(folder.path());
    assert_eq!(second.sweep(now, nothing).await.unwrap(), 0);
    writer.write(Bytes::copy_from_slice(&bytes[WRITE_PART..])).await.unwrap();
    let id = writer.finish().await.unwrap();
    assert_eq!(read(&second, &id, None).await, bytes);
    second.delete(&id).await.unwrap();
    assert!(matches!(first.read(&id, None).await, Err(BlobError::NotFound)));
}

#[tokio::test]
async fn what_a_dead_node_left_half_written_goes_by_the_sweep_when_it_is_a_day_old() {
    let folder = tempfile::tempdir().unwrap();
    let (blobs, random) = (node(&folder), SeededRandomness::new(2));
    let mut dead = blobs.create(&random).await.unwrap();
    dead.write(Bytes::from(vec![1; WRITE_PART])).await.unwrap();
    let [left] = files(folder.path()).try_into().unwrap();
    std::mem::forget(dead);
    let now = written(folder.path());
    let aged = Duration::from_secs(SWEEP_AGE_SECONDS as u64 + 60);
    let file = std::fs::File::options().write(true).open(&left).unwrap();
    file.set_modified(file.metadata().unwrap().modified().unwrap() - aged).unwrap();
    let foreign = left.with_file_name("#notes#");
    std::fs::hard_link(&left, &foreign).unwrap();
    let mut young = blobs.create(&random).await.unwrap();
    young.write(Bytes::from(vec![2; WRITE_PART])).await.unwrap();
    let named = blobs.put(&random, Bytes::from_static(b"named")).await.unwrap();

    let all = async |ids: Vec<BlobId>| Ok::<_, BlobError>(vec![true; ids.len()]);
    blobs.of("lambda").sweep(now, all).await.unwrap();
    assert!(left.exists());
    blobs.sweep(now, all).await.unwrap();
    assert!(!left.exists());
    assert!(foreign.exists());
    let young = young.finish().await.unwrap();
    assert_eq!(read(&blobs, &young, None).await, vec![2; WRITE_PART]);
    assert_eq!(read(&blobs, &named, None).await, b"named");
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("not-mounted");
    let told = Blobs::shared_folder(&missing, "s3").unwrap_err().to_string();
    assert!(told.contains("not-mounted") && told.contains("mount what the nodes share"), "{told}");
    assert!(!missing.exists());
}

#[tokio::test]
async fn other_users_may_not_look_at_blobs_and_the_folder_stays_as_it_was() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o2775)).unwrap();
    node(&folder).put(&SeededRandomness::new(9), Bytes::from_static(b"ours")).await.unwrap();
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode();
    assert_eq!(mode(&folder.path().join("s3")) & 0o007, 0, "they may");
    assert_eq!(mode(folder.path()) & 0o7777, 0o2775, "a folder that was named is left as it was");
}

#[tokio::test]
async fn a_folder_that_can_be_used_passes_the_check_and_keeps_nothing_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = node(&folder);
    blobs.hold().ask(|| Box::pin(async { true }));
    blobs.check(&SeededRandomness::new(3)).await.unwrap();
    assert!(files(folder.path()).is_empty());
}

#[tokio::test]
async fn a_folder_that_may_not_be_written_to_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = node(&folder);
    // What refuses root as well: a file where the owner's folder should be.
    std::fs::write(folder.path().join("s3"), b"").unwrap();
    let told = blobs.check(&SeededRandomness::new(4)).await.unwrap_err().to_string();
    assert!(told.contains("writing") && told.contains("may this user write there"), "{told}");
}

#[tokio::test]
async fn a_place_is_one_installations_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (node(&folder), node(&folder));
    one.claim("a").await.unwrap();
    other.claim("a").await.unwrap();
    let refused = other.claim("b").await.unwrap_err().to_string();
    assert!(refused.contains("another installation's"), "{refused}");
    one.claim("a").await.unwrap();
}
