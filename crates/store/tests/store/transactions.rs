use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use homeport_store::{
    Direction, Key, KeyParts, MAX_KEY_BYTES, MAX_PAGE_ROWS, Part, Range, Store, StoreError, Tx,
};

use crate::Clause;

pub(crate) const CLAUSES: &[Clause] = &[
    ("what was written is read, and what was deleted is gone", |s| Box::pin(written_and_deleted(s))),
    ("an error writes nothing", |s| Box::pin(an_error_writes_nothing(s))),
    ("a transaction reads its own writes", |s| Box::pin(own_writes(s))),
    ("a snapshot stands still", |s| Box::pin(a_snapshot_stands_still(s))),
    ("two reads fit one state", |s| Box::pin(two_reads_fit_one_state(s))),
    ("pages make up the whole, in both directions", |s| Box::pin(pages_make_up_the_whole(s))),
    ("own writes are laid over a scan", |s| Box::pin(own_writes_in_scans(s))),
    ("two who read and then write the same key do not both win", |s| Box::pin(no_lost_update(s))),
    ("two who look for the other's row do not both miss it", |s| Box::pin(no_write_skew(s))),
    ("bounds are kept", |s| Box::pin(bounds(s))),
    ("a handle is useless once its closure is over", |s| Box::pin(closed_handle(s))),
    ("a transaction that only reads does not write", |s| Box::pin(read_only(s))),
    ("stamps grow with commits and name their rows", |s| Box::pin(stamps(s))),
    ("a swept prefix is empty and its neighbours stay", |s| Box::pin(sweeping(s))),
];

pub(crate) async fn get(store: &Store, key: &Key) -> Result<Option<Bytes>, StoreError> {
    store.read(|tx| async move { tx.get(key).await }).await
}

pub(crate) async fn put(store: &Store, key: &Key, value: &'static str) -> Result<(), StoreError> {
    store.write(|tx| async move { tx.put(key, value) }).await
}

async fn written_and_deleted(store: Store) -> Result<(), StoreError> {
    let key = Key::of("t").str("a");
    put(&store, &key, "1").await?;
    assert_eq!(get(&store, &key).await?.as_deref(), Some(b"1".as_ref()));
    store
        .write(|tx| async {
            let tx = tx;
            tx.delete(&Key::of("t").str("a"))
        })
        .await?;
    assert_eq!(get(&store, &key).await?, None);
    Ok(())
}

async fn an_error_writes_nothing(store: Store) -> Result<(), StoreError> {
    let key = &Key::of("t").str("a");
    let refused: Result<(), StoreError> = store
        .write(|tx| async move {
            tx.put(key, "1")?;
            Err(StoreError::BadCursor)
        })
        .await;
    assert!(matches!(refused, Err(StoreError::BadCursor)));
    assert_eq!(get(&store, key).await?, None);
    Ok(())
}

async fn own_writes(store: Store) -> Result<(), StoreError> {
    let (a, b) = (&Key::of("t").str("a"), &Key::of("t").str("b"));
    put(&store, a, "old").await?;
    store
        .write(|tx| async move {
            tx.put(a, "new")?;
            tx.add(b, 2)?;
            tx.add(b, 3)?;
            assert_eq!(tx.get(a).await?.as_deref(), Some(b"new".as_ref()));
            assert_eq!(tx.get_i64(b).await?, Some(5));
            tx.delete(a)?;
            let both = tx.get_many(&[a.clone(), b.clone()]).await?;
            assert_eq!(both, [None, Some(Bytes::copy_from_slice(&5_i64.to_be_bytes()))]);
            Ok::<_, StoreError>(())
        })
        .await?;
    assert_eq!(get(&store, a).await?, None);
    Ok(())
}

async fn a_snapshot_stands_still(store: Store) -> Result<(), StoreError> {
    let (key, neighbour) = (&Key::of("t").str("a"), &Key::of("t").str("b"));
    put(&store, key, "before").await?;
    let other = &store;
    let seen = store
        .read(|tx| async move {
            let first = (tx.get(key).await?, tx.get(neighbour).await?);
            put(other, key, "after").await?;
            put(other, neighbour, "new").await?;
            Ok::<_, StoreError>((first, (tx.get(key).await?, tx.get(neighbour).await?)))
        })
        .await?;
    assert_eq!(seen.0, seen.1);
    assert_eq!(seen.0, (Some(Bytes::from("before")), None));
    assert_eq!(get(&store, key).await?.as_deref(), Some(b"after".as_ref()));
    Ok(())
}

/// An engine may take its snapshot with the first read, or with the second: then it runs the closure again where the
/// first one's row has changed.
async fn two_reads_fit_one_state(store: Store) -> Result<(), StoreError> {
    let (key, runs) = (&Key::of("t").str("a"), &AtomicU32::new(0));
    put(&store, key, "before").await?;
    let other = &store;
    let seen = store
        .read(|tx| async move {
            let first = tx.get(key).await?;
            if runs.fetch_add(1, Ordering::SeqCst) == 0 {
                put(other, key, "after").await?;
            }
            Ok::<_, StoreError>((first, tx.get(key).await?))
        })
        .await?;
    assert_eq!(seen.0, seen.1);
    assert!(runs.load(Ordering::SeqCst) <= 2);
    Ok(())
}

async fn pages_make_up_the_whole(store: Store) -> Result<(), StoreError> {
    let root = &Key::of("t");
    put(&store, &Key::of("s").str("neighbour"), "x").await?;
    put(&store, &Key::of("u").str("neighbour"), "x").await?;
    store
        .write(|tx| async move { (0..2_500).try_for_each(|n| tx.put(&root.clone().u64(n), n.to_string())) })
        .await?;
    for (direction, limit) in
        [(Direction::Forward, 7), (Direction::Backward, 700), (Direction::Forward, 9_999)]
    {
        let mut seen = Vec::new();
        let mut range = Range::prefix(root);
        loop {
            let asked = &range;
            let page = store.read(|tx| async move { tx.scan(asked.clone(), direction, limit).await }).await?;
            assert!(page.rows.len() <= limit.min(MAX_PAGE_ROWS));
            let last = page.rows.last().map(|row| row.key.clone());
            seen.extend(page.rows.into_iter().map(|row| row.key));
            let (true, Some(last)) = (page.more, last) else {
                break;
            };
            range = match direction {
                Direction::Forward => range.after(&last),
                Direction::Backward => range.before(&last),
            };
        }
        if direction == Direction::Backward {
            seen.reverse();
        }
        let expected: Vec<_> = (0..2_500).map(|n| root.clone().u64(n).as_bytes().to_vec()).collect();
        assert_eq!(seen, expected);
    }
    Ok(())
}

async fn own_writes_in_scans(store: Store) -> Result<(), StoreError> {
    let root = &Key::of("t");
    store.write(|tx| async move { (0..6).try_for_each(|n| tx.put(&root.clone().u64(n), "below")) }).await?;
    store
        .write(|tx| async move {
            tx.delete(&root.clone().u64(0))?;
            tx.delete(&root.clone().u64(2))?;
            tx.put(&root.clone().u64(3), "above")?;
            tx.put(&root.clone().u64(9), "above")?;
            assert_eq!(numbers(&tx, Direction::Forward, 2).await?, ([1, 3].to_vec(), true));
            assert_eq!(numbers(&tx, Direction::Forward, 5).await?, ([1, 3, 4, 5, 9].to_vec(), false));
            assert_eq!(numbers(&tx, Direction::Backward, 3).await?, ([9, 5, 4].to_vec(), true));
            Ok::<_, StoreError>(())
        })
        .await
}

async fn numbers(tx: &Tx, direction: Direction, limit: usize) -> Result<(Vec<u64>, bool), StoreError> {
    let page = tx.scan(Range::prefix(&Key::of("t")), direction, limit).await?;
    let number = |key: &Bytes| match KeyParts::decode(key).as_deref() {
        Some([_, Part::U64(number)]) => *number,
        other => panic!("{other:?}"),
    };
    Ok((page.rows.iter().map(|row| number(&row.key)).collect(), page.more))
}

async fn no_lost_update(store: Store) -> Result<(), StoreError> {
    let increment = |store: Store| async move {
        let key = &Key::of("t").str("n");
        store
            .write(|tx| async move {
                let before = tx.get_i64(key).await?.unwrap_or(0);
                tokio::task::yield_now().await;
                tx.put(key, Bytes::copy_from_slice(&(before + 1).to_be_bytes()))
            })
            .await
    };
    let tasks: Vec<_> = (0..40).map(|_| tokio::spawn(increment(store.clone()))).collect();
    for task in tasks {
        task.await.unwrap()?;
    }
    let sum = store.read(|tx| async move { tx.get_i64(&Key::of("t").str("n")).await }).await?;
    assert_eq!(sum, Some(40));
    Ok(())
}

/// Each looks whether the stretch is empty and then puts its own row: only one may find it empty.
async fn no_write_skew(store: Store) -> Result<(), StoreError> {
    let found_empty = Arc::new(AtomicU32::new(0));
    let tasks: Vec<_> = (0..12_u64)
        .map(|n| {
            let (store, found_empty) = (store.clone(), Arc::clone(&found_empty));
            tokio::spawn(async move {
                let first = store
                    .write(|tx| async move {
                        let page = tx.scan(Range::prefix(&Key::of("t")), Direction::Forward, 1).await?;
                        tokio::task::yield_now().await;
                        if page.rows.is_empty() {
                            tx.put(&Key::of("t").u64(n), "mine")?;
                        }
                        Ok::<_, StoreError>(page.rows.is_empty())
                    })
                    .await;
                found_empty.fetch_add(u32::from(first.unwrap()), Ordering::SeqCst);
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(found_empty.load(Ordering::SeqCst), 1);
    Ok(())
}

async fn bounds(store: Store) -> Result<(), StoreError> {
    let longest = &Key::of("t").bytes(vec![7; MAX_KEY_BYTES - 5]);
    let too_long = &Key::of("t").bytes(vec![7; MAX_KEY_BYTES - 4]);
    assert_eq!(longest.as_bytes().len(), MAX_KEY_BYTES);
    put(&store, longest, "fits").await?;
    assert!(matches!(put(&store, too_long, "no").await, Err(StoreError::KeyTooLong { bytes: 2_401 })));
    assert!(matches!(get(&store, too_long).await, Err(StoreError::KeyTooLong { .. })));
    let block = Bytes::from(vec![1; 9 << 20]);
    let too_big = store
        .write(|tx| {
            let block = block.clone();
            async move { (0..15).try_for_each(|n| tx.put(&Key::of("big").u64(n), block.clone())) }
        })
        .await;
    assert!(matches!(too_big, Err(StoreError::TransactionTooBig)));
    assert_eq!(get(&store, &Key::of("big").u64(0)).await?, None);
    Ok(())
}

async fn closed_handle(store: Store) -> Result<(), StoreError> {
    let kept = store.write(|tx| async move { Ok::<_, StoreError>(tx) }).await?;
    assert!(matches!(kept.put(&Key::of("t"), "late"), Err(StoreError::Closed)));
    assert!(matches!(kept.get(&Key::of("t")).await, Err(StoreError::Closed)));
    Ok(())
}

async fn read_only(store: Store) -> Result<(), StoreError> {
    let refused = store.read(|tx| async move { tx.put(&Key::of("t"), "no") }).await;
    assert!(matches!(refused, Err(StoreError::ReadOnly)));
    Ok(())
}

async fn stamps(store: Store) -> Result<(), StoreError> {
    let log = &Key::of("log");
    let mut last = None;
    for _ in 0..5 {
        let (first, second) = store
            .write(|tx| async move {
                let first = tx.put_stamped(log, "row", "1")?;
                tx.put_stamp_value(&Key::of("latest"))?;
                Ok::<_, StoreError>((first, tx.put_stamped(log, KeyParts::new(), "2")?))
            })
            .await?;
        assert!(last < first.stamp() && first.stamp() < second.stamp());
        last = second.stamp();
        let key = log.clone().stamp(first.stamp().unwrap()).str("row");
        assert_eq!(get(&store, &key).await?.as_deref(), Some(b"1".as_ref()));
    }
    let latest = get(&store, &Key::of("latest")).await?.unwrap();
    assert_eq!(latest[..8], last.unwrap().to_bytes()[..8]);
    Ok(())
}

async fn sweeping(store: Store) -> Result<(), StoreError> {
    store
        .write(|tx| async move { (0..1_700).try_for_each(|n| tx.put(&Key::of("gone").str("x").u64(n), "v")) })
        .await?;
    put(&store, &Key::of("gone").str("xy"), "stays").await?;
    store.sweep(&Key::of("gone").str("x")).await?;
    let left = store.read(|tx| async move { tx.scan(Range::all(), Direction::Forward, 10).await }).await?;
    assert_eq!(left.rows.len(), 1);
    assert_eq!(left.rows[0].value, "stays");
    Ok(())
}
