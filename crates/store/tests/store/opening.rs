//! How a folder is opened, and what is refused.

use std::fs;
use std::path::Path;

use homeport_core::{Randomness, SeededRandomness};
use homeport_store::{EmbeddedOptions, Key, OpenError, Store, StoreError};

use crate::transactions::{get, put};

async fn open(folder: &Path) -> Result<Store, OpenError> {
    Store::open(folder, EmbeddedOptions::default()).await
}

#[tokio::test]
async fn a_folder_belongs_to_one_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let held = open(folder.path()).await.unwrap();
    assert!(matches!(open(folder.path()).await, Err(OpenError::Locked)));
    drop(held);
    assert!(open(folder.path()).await.is_ok());
}

#[tokio::test]
async fn a_folder_of_a_newer_program_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()).await.unwrap());
    fs::write(folder.path().join("format"), "2\n").unwrap();
    let refused = open(folder.path()).await;
    assert!(matches!(refused, Err(OpenError::NewerFormat { found: 2, known: 1 })));
    fs::write(folder.path().join("format"), "1\n").unwrap();
    assert!(open(folder.path()).await.is_ok());
}

#[tokio::test]
async fn a_first_start_that_was_cut_off_is_begun_anew() {
    for marker in [None, Some(""), Some("FJ"), Some("FJL\x03")] {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("keyspace");
        fs::create_dir_all(data.join("keyspaces/half-made")).unwrap();
        fs::write(folder.path().join("making"), "").unwrap();
        fs::write(data.join("0.jnl"), "cut").unwrap();
        if let Some(marker) = marker {
            fs::write(data.join("version"), marker).unwrap();
        }
        let store = open(folder.path()).await.unwrap();
        put(&store, &Key::of("kept"), "value").await.unwrap();
        drop(store);
        assert!(!folder.path().join("making").exists(), "{marker:?}");
        let store = open(folder.path()).await.unwrap();
        assert!(get(&store, &Key::of("kept")).await.unwrap().is_some(), "{marker:?}");
    }
}

#[tokio::test]
async fn a_folder_that_was_whole_is_never_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await.unwrap();
    put(&store, &Key::of("kept"), "value").await.unwrap();
    drop(store);
    let marker = folder.path().join("keyspace/version");
    let whole = fs::read(&marker).unwrap();
    fs::write(&marker, "").unwrap();
    assert!(matches!(open(folder.path()).await, Err(OpenError::Engine(_))));
    fs::write(&marker, whole).unwrap();
    let store = open(folder.path()).await.unwrap();
    assert_eq!(get(&store, &Key::of("kept")).await.unwrap().unwrap(), "value");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_and_the_order_of_commits_outlive_a_restart() -> Result<(), StoreError> {
    let folder = tempfile::tempdir().unwrap();
    let (mut last, key) = (None, &Key::of("kept"));
    for _ in 0..3 {
        let store = open(folder.path()).await.unwrap();
        let stamp = store.write(|tx| async move { tx.put_stamped(&Key::of("log"), "x", "row") }).await?;
        assert!(last < stamp.stamp());
        last = stamp.stamp();
        if get(&store, key).await?.is_none() {
            put(&store, key, "since the first").await?;
        }
        store.count(&Key::of("starts"), 1, 10).await?;
    }
    let store = open(folder.path()).await.unwrap();
    assert_eq!(get(&store, key).await?.unwrap(), "since the first");
    let starts = store.read(|tx| async move { tx.get_i64(&Key::of("starts")).await }).await?;
    assert_eq!(starts, Some(3));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hot_row_is_won_by_everyone_in_the_end() -> Result<(), StoreError> {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await.unwrap();
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                for _ in 0..10 {
                    let key = &Key::of("hot");
                    let raise = |tx: homeport_store::Tx| async move {
                        let before = tx.get_i64(key).await?.unwrap_or(0);
                        tx.put(key, (before + 1).to_be_bytes().to_vec())
                    };
                    store.write(raise).await?;
                }
                Ok::<_, StoreError>(())
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap()?;
    }
    let sum = store.read(|tx| async move { tx.get_i64(&Key::of("hot")).await }).await?;
    assert_eq!(sum, Some(640));
    Ok(())
}

/// Zeros a page inside the value that begins with `mark`, as an unwritten page reads.
fn tear(folder: &Path, mark: &[u8]) {
    let journal = folder.join("keyspace/0.jnl");
    let mut bytes = fs::read(&journal).unwrap();
    // The key comes first, the value behind it.
    let at = bytes.windows(mark.len()).rposition(|window| window == mark).unwrap();
    bytes[at + 4_096..at + 8_192].fill(0);
    fs::write(&journal, bytes).unwrap();
}

async fn folder_with_big_values(marks: &[&'static str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await.unwrap();
    for mark in marks {
        // Nothing that the journal could compress.
        let mut value = vec![0; 20_000];
        SeededRandomness::new(7).fill(&mut value);
        value[..mark.len()].copy_from_slice(mark.as_bytes());
        let value = || value.clone();
        store.write(|tx| async move { tx.put(&Key::of(mark), value()) }).await.unwrap();
    }
    folder
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_that_a_power_cut_tore_is_cut_off() -> Result<(), StoreError> {
    let folder = folder_with_big_values(&["first-mark", "second-mark"]).await;
    tear(folder.path(), b"second-mark");
    let store = open(folder.path()).await.unwrap();
    assert!(get(&store, &Key::of("first-mark")).await?.is_some());
    assert_eq!(get(&store, &Key::of("second-mark")).await?, None);
    put(&store, &Key::of("third"), "goes on").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_before_the_last_group_is_refused() {
    let folder = folder_with_big_values(&["first-mark", "second-mark"]).await;
    tear(folder.path(), b"first-mark");
    assert!(matches!(open(folder.path()).await, Err(OpenError::Engine(_))));
    assert!(matches!(open(folder.path()).await, Err(OpenError::Engine(_))));
}

#[tokio::test]
async fn a_transaction_that_takes_too_long_is_ended() {
    let store = Store::testkit(1);
    let slow = store.write(|tx| async move {
        tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        tx.put(&Key::of("late"), "never")
    });
    assert!(matches!(slow.await, Err(StoreError::TransactionTooLong)));
    assert_eq!(get(&store, &Key::of("late")).await.unwrap(), None);
}

/// Files of rows in a store's folder.
fn files_of_rows(folder: &Path) -> usize {
    let mut found = 0;
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().filter_map(Result::ok) {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                _ => found += usize::from(entry.path().parent().is_some_and(|at| at.ends_with("tables"))),
            }
        }
    }
    found
}

#[tokio::test]
async fn writes_become_files_once_they_take_the_memory_they_may() {
    let folder = tempfile::tempdir().unwrap();
    let options = EmbeddedOptions { memtable_bytes: 64 << 10, ..EmbeddedOptions::default() };
    let store = Store::open(folder.path(), options).await.unwrap();
    put(&store, &Key::of("kept").u64(0), "value").await.unwrap();
    let before = files_of_rows(folder.path());
    let value = &"x".repeat(8 << 10);
    for number in 1..=32 {
        let key = &Key::of("kept").u64(number);
        store.write(|tx| async move { tx.put(key, value.clone()) }).await.unwrap();
    }
    for _ in 0..500 {
        if files_of_rows(folder.path()) > before {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("256 KiB were written, and no file was made");
}

const MEMTABLES: usize = 300;

/// With files this small beside what becomes one at a time, a step for each memtable is too few.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn merging_keeps_up_with_what_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let options =
        EmbeddedOptions { memtable_bytes: 256 << 10, file_bytes: 64 << 10, ..EmbeddedOptions::default() };
    let store = Store::open(folder.path(), options).await.unwrap();
    let random = SeededRandomness::new(1);
    for number in 0..MEMTABLES {
        let mut bytes = vec![0; 256 << 10];
        random.fill(&mut bytes);
        let rows: Vec<&[u8]> = bytes.chunks(4 << 10).collect();
        let rows = &rows;
        let written = store.write(|tx| async move {
            rows.iter().try_for_each(|row| tx.put(&Key::of("rows").bytes(&row[..8]), row.to_vec()))
        });
        let written = tokio::time::timeout(std::time::Duration::from_secs(60), written).await;
        written.unwrap_or_else(|_| panic!("commit {number} waits for ever")).unwrap();
    }
}
