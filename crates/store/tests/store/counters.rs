use homeport_store::{Counted, Key, Store, StoreError};

use crate::Clause;

pub(crate) const CLAUSES: &[Clause] = &[
    ("merges from all sides add up", |s| Box::pin(merges_add_up(s))),
    ("a merge on what is no number is refused whole", |s| Box::pin(no_number(s))),
    ("of twenty parallel attempts exactly five count", |s| Box::pin(five_of_twenty(s))),
    ("what was counted can be given back, down to nothing", |s| Box::pin(given_back(s))),
    ("a transaction that read a counter conflicts with it", |s| Box::pin(counter_conflicts(s))),
];

async fn merges_add_up(store: Store) -> Result<(), StoreError> {
    let tasks: Vec<_> = (1..=50_i64)
        .map(|n| {
            let store = store.clone();
            tokio::spawn(async move {
                store
                    .write(|tx| async move {
                        tx.add(&Key::of("sum"), n)?;
                        tx.max(&Key::of("max"), n)?;
                        tx.min(&Key::of("min"), n)
                    })
                    .await
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap()?;
    }
    let numbers = store
        .read(|tx| async move {
            let (sum, max) = (tx.get_i64(&Key::of("sum")).await?, tx.get_i64(&Key::of("max")).await?);
            Ok::<_, StoreError>([sum, max, tx.get_i64(&Key::of("min")).await?])
        })
        .await?;
    assert_eq!(numbers, [Some(1_275), Some(50), Some(1)]);
    Ok(())
}

async fn no_number(store: Store) -> Result<(), StoreError> {
    store.write(|tx| async move { tx.put(&Key::of("text"), "no number") }).await?;
    let refused = store
        .write(|tx| async move {
            tx.put(&Key::of("beside"), "1")?;
            tx.add(&Key::of("text"), 1)
        })
        .await;
    assert!(matches!(refused, Err(StoreError::NotANumber)));
    let beside = store.read(|tx| async move { tx.get(&Key::of("beside")).await }).await?;
    assert_eq!(beside, None);
    assert!(matches!(store.count(&Key::of("text"), 1, 5).await, Err(StoreError::NotANumber)));
    Ok(())
}

async fn five_of_twenty(store: Store) -> Result<(), StoreError> {
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.count(&Key::of("attempts"), 1, 5).await })
        })
        .collect();
    let mut counted = Vec::new();
    for task in tasks {
        match task.await.unwrap()? {
            Counted::Now(n) => counted.push(n),
            Counted::Full(n) => assert_eq!(n, 5),
        }
    }
    counted.sort_unstable();
    assert_eq!(counted, [1, 2, 3, 4, 5]);
    Ok(())
}

async fn given_back(store: Store) -> Result<(), StoreError> {
    let key = &Key::of("quota");
    assert_eq!(store.count(key, 3, 5).await?, Counted::Now(3));
    assert_eq!(store.count(key, 3, 5).await?, Counted::Full(3));
    assert_eq!(store.count(key, -1, 5).await?, Counted::Now(2));
    assert_eq!(store.count(key, 3, 5).await?, Counted::Now(5));
    assert_eq!(store.count(key, -9, 5).await?, Counted::Now(0));
    let row = store.read(|tx| async move { tx.get(key).await }).await?;
    assert_eq!(row, None);
    Ok(())
}

async fn counter_conflicts(store: Store) -> Result<(), StoreError> {
    let (key, runs) = (&Key::of("n"), &std::sync::atomic::AtomicU32::new(0));
    let other = &store;
    let seen = store
        .write(|tx| async move {
            let seen = tx.get_i64(key).await?;
            if runs.fetch_add(1, std::sync::atomic::Ordering::SeqCst) < 3 {
                other.count(key, 1, 100).await?;
            }
            tx.put(&Key::of("copy"), "x")?;
            Ok::<_, StoreError>(seen)
        })
        .await?;
    assert_eq!(seen, Some(3));
    Ok(())
}
