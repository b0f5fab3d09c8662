use bytes::Bytes;
use homeport_store::{Direction, EmbeddedOptions, Key, Range, Row, Store, StoreError, Versionstamp};

use crate::transactions::put;
use crate::{Clause, cluster};

pub(crate) const CLAUSES: &[Clause] = &[
    ("an export is one moment in the order of keys", |s| Box::pin(an_export_is_one_moment(s))),
    ("an export goes on behind a key", |s| Box::pin(an_export_goes_on(s))),
    ("rows come into another store as they were", |s| Box::pin(rows_come_as_they_were(s))),
    ("a raised clock is behind all stamps before", |s| Box::pin(a_raised_clock(s))),
    ("what no store gives is refused", |s| Box::pin(what_no_store_gives(s))),
    ("a store without rows is empty", |s| Box::pin(without_rows(s))),
];

/// Small rows, big ones, and keys of every kind.
async fn fill(store: &Store) -> Result<(), StoreError> {
    for step in 0..6_u64 {
        store
            .write(|tx| async move {
                for number in 0..500 {
                    tx.put(&Key::of("small").u64(step).u64(number), format!("{number}"))?;
                }
                tx.put(&Key::of("big").i64(-1).u64(step), vec![b'v'; 700_000])?;
                tx.put(&Key::of("bytes").bytes([0, 1, 255]).u64(step), Bytes::new())?;
                tx.put_stamped(&Key::of("stamped"), "", "s").map(drop)
            })
            .await?;
    }
    Ok(())
}

async fn all(store: &Store) -> Result<Vec<Row>, StoreError> {
    let mut export = store.export().await?;
    let mut rows = Vec::new();
    while let Some(page) = export.next_rows().await? {
        rows.extend(page);
    }
    Ok(rows)
}

async fn an_export_is_one_moment(store: Store) -> Result<(), StoreError> {
    fill(&store).await?;
    let mut export = store.export().await?;
    let last = export.last();
    assert_eq!(export.count().await?, 6 * 503);
    let first = export.next_rows().await?.unwrap();
    store.sweep(&Key::of("small")).await?;
    put(&store, &Key::of("zz"), "later").await?;
    let (mut rows, mut pages) = (first, 1);
    while let Some(page) = export.next_rows().await? {
        assert!(!page.is_empty());
        rows.extend(page);
        pages += 1;
    }
    assert_eq!(export.next_rows().await?, None);
    assert_eq!((export.last(), export.count().await?), (last, 6 * 503));
    assert_eq!(rows.len(), 6 * 503);
    assert!(pages > 3, "{pages} pages");
    assert!(rows.is_sorted_by(|one, next| one.key < next.key));
    assert_eq!(all(&store).await?.len(), 6 * 3 + 1);
    Ok(())
}

async fn an_export_goes_on(store: Store) -> Result<(), StoreError> {
    fill(&store).await?;
    let whole = all(&store).await?;
    for cut in [0, 4, 7, 1_000, whole.len() - 1] {
        let mut export = store.export().await?;
        export.go_behind(&whole[cut].key);
        let mut rows = Vec::new();
        while let Some(page) = export.next_rows().await? {
            rows.extend(page);
        }
        assert!(rows == whole[cut + 1..], "behind {cut}");
    }
    Ok(())
}

async fn rows_come_as_they_were(store: Store) -> Result<(), StoreError> {
    let (from, back) = (Store::testkit(1), Store::testkit(2));
    fill(&from).await?;
    for (from, to) in [(&from, &store), (&store, &back)] {
        let mut export = from.export().await?;
        while let Some(page) = export.next_rows().await? {
            let page = &page;
            let put = |tx: homeport_store::Tx| async move { page.iter().try_for_each(|row| tx.put_row(row)) };
            to.write(put).await?;
        }
    }
    let rows = all(&from).await?;
    assert!(rows == all(&store).await?);
    assert!(rows == all(&back).await?);
    Ok(())
}

async fn a_raised_clock(store: Store) -> Result<(), StoreError> {
    store.write(|tx| async move { tx.raise_clock(1_000_000) }).await?;
    assert!(store.export().await?.last() > 1_000_000);
    let stamp = stamp(&store).await?;
    assert!(stamp > Versionstamp::from_bytes([0, 0, 0, 0, 0, 15, 66, 64, 255, 255]), "{stamp}");
    store.write(|tx| async move { tx.raise_clock(5) }).await?;
    let next = self::stamp(&store).await?;
    assert!(next > stamp && next.commit() < stamp.commit() + 10, "{next}");
    // What read before conflicts as ever.
    let read = store
        .write(|tx| async move {
            let first = tx.scan(Range::prefix(&Key::of("stamp")), Direction::Forward, 9).await?.rows.len();
            tx.put(&Key::of("seen"), vec![u8::try_from(first).unwrap()])?;
            Ok::<_, StoreError>(first)
        })
        .await?;
    assert_eq!(read, 2);
    Ok(())
}

async fn stamp(store: &Store) -> Result<Versionstamp, StoreError> {
    let drawn = store.write(|tx| async move { tx.put_stamped(&Key::of("stamp"), "", "") }).await?;
    Ok(drawn.stamp().unwrap())
}

async fn what_no_store_gives(store: Store) -> Result<(), StoreError> {
    let keys = [&[][..], &[0], &[0, 7], &[255], &[255, 1]].map(Bytes::from_static);
    for key in keys {
        let row = &Row { key, value: Bytes::from_static(b"v") };
        let refused = store.write(|tx| async move { tx.put_row(row) }).await;
        assert!(matches!(refused, Err(StoreError::Aborted(_))), "{row:?}");
    }
    let row = &Row { key: Bytes::from(vec![2; 2_401]), value: Bytes::new() };
    let refused = store.write(|tx| async move { tx.put_row(row) }).await;
    assert!(matches!(refused, Err(StoreError::KeyTooLong { .. })));
    let refused = store.write(|tx| async move { tx.raise_clock(u64::MAX) }).await;
    assert!(matches!(refused, Err(StoreError::Aborted(_))));
    Ok(())
}

async fn without_rows(store: Store) -> Result<(), StoreError> {
    assert!(store.is_empty().await?);
    let mut export = store.export().await?;
    assert_eq!((export.count().await?, export.next_rows().await?), (0, None));
    put(&store, &Key::of("a"), "value").await?;
    assert!(!store.is_empty().await?);
    assert_eq!(store.other_nodes().await?, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_raised_clock_stays_raised() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Store::open(folder.path(), EmbeddedOptions::default());
    let store = open().await.unwrap();
    store.write(|tx| async move { tx.raise_clock(1_000) }).await.unwrap();
    drop(store);
    assert!(stamp(&open().await.unwrap()).await.unwrap().commit() > 1_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_beside_a_raised_clock_go_on_behind_it() {
    let Some(cluster) = cluster() else { return };
    let database = cluster.database().await;
    let (one, other) = (cluster.node(&database).await, cluster.node(&database).await);
    stamp(&other).await.unwrap();
    one.write(|tx| async move { tx.raise_clock(1_000) }).await.unwrap();
    assert!(stamp(&other).await.unwrap().commit() > 1_000);
    let later = cluster.node(&database).await;
    assert!(stamp(&one).await.unwrap() < stamp(&later).await.unwrap());
}

/// Other sessions are ended after eight seconds of silence.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_may_take_its_time() {
    let Some(cluster) = cluster() else { return };
    let store = cluster.store().await;
    fill(&store).await.unwrap();
    let mut export = store.export().await.unwrap();
    let mut rows = export.next_rows().await.unwrap().unwrap().len();
    tokio::time::sleep(std::time::Duration::from_secs(10)).await;
    while let Some(page) = export.next_rows().await.unwrap() {
        rows += page.len();
    }
    assert_eq!(rows, 6 * 503);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_nodes_are_counted_while_they_are_there() {
    let Some(cluster) = cluster() else { return };
    let database = cluster.database().await;
    let one = cluster.node(&database).await;
    assert_eq!(one.other_nodes().await.unwrap(), 0);
    let others = [cluster.node(&database).await, cluster.node(&database).await];
    for other in &others {
        put(other, &Key::of("there"), "value").await.unwrap();
    }
    assert_eq!(one.other_nodes().await.unwrap(), 2);
    drop(others);
    let began = std::time::Instant::now();
    while one.other_nodes().await.unwrap() > 0 {
        assert!(began.elapsed().as_secs() < 5, "a node that ended is still counted");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}
