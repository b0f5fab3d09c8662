use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use homeport_blobs::Blobs;
use homeport_core::{Account, SeededRandomness, SharedClock, Timestamp};
use homeport_store::{Collection, Key, Store};
use homeport_vault::{KeyRing, MasterKey};

use super::copy::Moved;
use super::file::{Piece, Reader};
use super::rows::sum_of;
use super::*;
use crate::clock::SystemClock;
use crate::config::Config;
use crate::environment::Environment;
use crate::installation::InstallationRecord;

const RANDOM: u64 = 9;

fn at(store: Store, name: &str) -> Opened {
    let (place, blob_place) = (name.into(), format!("{name}/blobs"));
    Opened { place, store, blob_place, blobs: Blobs::in_memory("s3") }
}

/// An installation with some rows and blobs.
async fn filled() -> Opened {
    let random = SeededRandomness::new(RANDOM);
    let key_ring = KeyRing::new(&MasterKey::generate(&random), &random).unwrap();
    let record = &InstallationRecord {
        account: Account::from_number(123_456_789_012),
        public_urls: vec!["http://a".into()],
        key_ring,
        created: Timestamp::default(),
    };
    let here = at(Store::testkit(1), "here");
    here.store
        .write(|tx| async move {
            for number in 0..9 {
                tx.put(&Key::of("a").u64(number), vec![b'v'; 20])?;
                tx.put(&Key::of("z").u64(number), Bytes::new())?;
            }
            tx.put_stamped(&Key::of("stamped"), "", "")?;
            Collection::<InstallationRecord>::new().put(&tx, record).await
        })
        .await
        .unwrap();
    for owner in ["s3", "lambda"] {
        here.blobs.of(owner).put(&random, Bytes::from_static(&[7; 40])).await.unwrap();
    }
    here
}

async fn sha256(place: &Opened) -> String {
    sum_of(&place.store, &mut Progress::silent(), 0).await.unwrap().sha256()
}

async fn moved(from: &Opened, to: &Opened) -> Result<Moved, MovingError> {
    move_all(from, to, &SeededRandomness::new(2), &mut Progress::silent()).await
}

async fn kept(from: &Opened, file: &Path) -> Kept {
    let clock: SharedClock = Arc::new(SystemClock);
    let mut silent = Progress::silent();
    back_up(from, file, Beside::Nobody, &clock, &SeededRandomness::new(3), &mut silent).await.unwrap()
}

async fn read(content: &[u8]) -> Result<(), MovingError> {
    let mut reader = Reader::begin(content, Path::new("backup")).await?;
    while !matches!(reader.next().await?, Piece::End(_)) {}
    Ok(())
}

#[tokio::test]
async fn a_move_brings_rows_blobs_and_the_clock() {
    let (from, to) = (filled().await, at(Store::testkit(2), "there"));
    let told = moved(&from, &to).await.unwrap();
    assert_eq!((told.rows, told.blobs.blobs, told.blobs.bytes), (20, 2, 80));
    assert_eq!(told.sha256, sha256(&to).await);
    assert!(InstallationRecord::read(&to.store).await.unwrap().is_some());
    assert!(to.store.export().await.unwrap().last() > from.store.export().await.unwrap().last());
    assert!(matches!(moved(&from, &to).await, Err(MovingError::Taken { .. })));
}

#[tokio::test]
async fn a_place_for_blobs_is_marked_and_another_installations_is_refused() {
    let (from, to) = (filled().await, at(Store::testkit(2), "there"));
    to.blobs.claim("another").await.unwrap();
    assert!(matches!(moved(&from, &to).await, Err(MovingError::Blobs(_))));
    assert!(to.store.is_empty().await.unwrap());
    let to = at(Store::testkit(3), "elsewhere");
    moved(&from, &to).await.unwrap();
    let installation = InstallationRecord::read(&to.store).await.unwrap().unwrap();
    to.blobs.claim(installation.key_ring.installation()).await.unwrap();
    assert!(to.blobs.claim("another").await.is_err());
}

#[tokio::test]
async fn a_source_that_changes_meanwhile_is_found() {
    let (from, to) = (filled().await, at(Store::testkit(2), "there"));
    let writing = async {
        loop {
            let put = from.store.write(|tx| async move { tx.put(&Key::of("late"), "value") }).await;
            let _: Result<(), homeport_store::StoreError> = put;
        }
    };
    tokio::select! {
        outcome = moved(&from, &to) => assert!(matches!(outcome, Err(MovingError::SourceChanged { .. }))),
        () = writing => {}
    }
    assert!(InstallationRecord::read(&to.store).await.unwrap().is_none());
    // Run again without the writer, it begins anew and comes through.
    assert_eq!(moved(&from, &to).await.unwrap().sha256, sha256(&to).await);
}

#[tokio::test]
async fn what_arrived_is_compared_with_what_was_sent() {
    let (from, to) = (filled().await, at(Store::testkit(2), "there"));
    let stranger = async { to.store.write(|tx| async move { tx.put(&Key::of("b"), "not sent") }).await };
    let mut moving = std::pin::pin!(moved(&from, &to));
    // Behind the look at an empty place, a row appears that nobody sent.
    let outcome = loop {
        tokio::select! {
            biased;
            outcome = &mut moving => break outcome,
            () = tokio::task::yield_now() => if !to.store.is_empty().await.unwrap() { break {
                let _: Result<(), homeport_store::StoreError> = stranger.await;
                moving.await
            } },
        }
    };
    assert!(matches!(outcome, Err(MovingError::NotTheSame { .. })));
    assert!(InstallationRecord::read(&to.store).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_restored_whole() {
    let (from, folder) = (filled().await, tempfile::tempdir().unwrap());
    let file = folder.path().join("backup");
    let told = kept(&from, &file).await;
    assert_eq!((told.rows, told.blobs.blobs, told.blobs.bytes), (20, 2, 80));
    let place = Place::parse(folder.path().join("to").to_str().unwrap(), None, "").unwrap();
    let (mut silent, random) = (Progress::silent(), SeededRandomness::new(4));
    let (config, environment) = (&Config::default(), &Environment::of_this_process());
    let with = With { config, environment };
    let restored = restore(&file, &place, &with, &random, &mut silent).await.unwrap();
    assert_eq!((restored.rows, restored.blobs), (told.rows, told.blobs));
    let to = place.open(Purpose::Source, &with).await.unwrap();
    assert_eq!(sha256(&to).await, sha256(&from).await);
    assert!(InstallationRecord::read(&to.store).await.unwrap().is_some());
    drop(to);
    let again = restore(&file, &place, &with, &random, &mut silent).await;
    assert!(matches!(again, Err(MovingError::Taken { .. })));
}

#[tokio::test]
async fn every_flipped_bit_and_every_cut_of_a_backup_is_found() {
    let (from, folder) = (filled().await, tempfile::tempdir().unwrap());
    let file = folder.path().join("backup");
    kept(&from, &file).await;
    let content = std::fs::read(&file).unwrap();
    read(&content).await.unwrap();
    for at in 0..content.len() {
        let mut altered = content.clone();
        altered[at] ^= 1 << (at % 8);
        assert!(read(&altered).await.is_err(), "byte {at} of {}", content.len());
        assert!(read(&content[..at]).await.is_err(), "cut at {at}");
    }
    assert!(read(&[&content[..], b"x"].concat()).await.is_err(), "more behind it");
}

#[tokio::test]
async fn a_backup_that_is_given_up_leaves_nothing() {
    let (from, folder) = (filled().await, tempfile::tempdir().unwrap());
    let file = folder.path().join("backup");
    from.store.sweep(&Key::of("installation")).await.unwrap();
    let clock: SharedClock = Arc::new(SystemClock);
    let (random, mut silent) = (SeededRandomness::new(3), Progress::silent());
    let refused = back_up(&from, &file, Beside::Nobody, &clock, &random, &mut silent).await;
    assert!(matches!(refused, Err(MovingError::NoInstallation { .. })));
    std::fs::write(&file, "kept").unwrap();
    let from = filled().await;
    let refused = back_up(&from, &file, Beside::Nobody, &clock, &random, &mut silent).await;
    assert!(matches!(refused, Err(MovingError::FileThere(_))));
    let left: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(left, ["backup"]);
    assert_eq!(std::fs::read(&file).unwrap(), b"kept");
}

#[tokio::test]
async fn a_file_that_is_being_written_or_leads_elsewhere_is_left_alone() {
    let (from, folder) = (filled().await, tempfile::tempdir().unwrap());
    let (file, partial) = (folder.path().join("backup"), folder.path().join("backup.partial"));
    let clock: SharedClock = Arc::new(SystemClock);
    let (random, mut silent) = (SeededRandomness::new(3), Progress::silent());
    // Another backup holds it.
    std::fs::write(&partial, "its").unwrap();
    let other = std::fs::File::open(&partial).unwrap();
    other.lock().unwrap();
    let busy = back_up(&from, &file, Beside::Nobody, &clock, &random, &mut silent).await;
    assert!(matches!(busy, Err(MovingError::FileBusy(_))));
    assert_eq!(std::fs::read(&partial).unwrap(), b"its");
    drop(other);
    // A link leads to what is somebody's, by either kind.
    let precious = folder.path().join("precious");
    for make in [std::fs::hard_link::<&Path, &Path>, std::os::unix::fs::symlink::<&Path, &Path>] {
        std::fs::remove_file(&partial).unwrap();
        std::fs::write(&precious, "precious").unwrap();
        make(&precious, &partial).unwrap();
        let refused = back_up(&from, &file, Beside::Nobody, &clock, &random, &mut silent).await;
        assert!(matches!(refused, Err(MovingError::FileBusy(_))));
        assert_eq!(std::fs::read(&precious).unwrap(), b"precious");
    }
    // What a killed one left is begun anew.
    std::fs::remove_file(&partial).unwrap();
    std::fs::write(&partial, vec![b'x'; 1 << 20]).unwrap();
    kept(&from, &file).await;
    read(&std::fs::read(&file).unwrap()).await.unwrap();
    assert!(!partial.exists());
}

#[test]
fn a_place_is_a_folder_or_a_database_and_never_shows_a_password() {
    let url = "postgres://ann:secret@127.0.0.1:5433/homeport";
    let place = Place::parse(url, Some("/blobs"), "--to-blobs").unwrap();
    assert_eq!(place.to_string(), "postgres://ann@127.0.0.1:5433/homeport");
    assert_eq!(Place::parse("./a/b/", None, "").unwrap().to_string(), "./a/b");
    for (text, blobs) in
        [("postgres://ann@127.0.0.1/homeport", None), ("http://db", Some("/blobs")), ("a", Some("http://b"))]
    {
        assert!(Place::parse(text, blobs, "--to-blobs").is_err(), "{text}");
    }
}
