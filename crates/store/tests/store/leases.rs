use std::time::Duration;

use homeport_core::Timestamp;
use homeport_store::{Key, Lease, Store, StoreError};

use crate::Clause;

pub(crate) const CLAUSES: &[Clause] = &[
    ("a lease has one holder until it ends", |s| Box::pin(one_holder(s))),
    ("of many who ask at once one gets it", |s| Box::pin(one_of_many(s))),
    ("who lost a lease no longer writes", |s| Box::pin(fenced(s))),
];

const LIFE: Duration = Duration::from_secs(10);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

async fn one_holder(store: Store) -> Result<(), StoreError> {
    let mut first = Lease::acquire(&store, "job", "a", at(0), LIFE).await?.unwrap();
    assert_eq!(Lease::acquire(&store, "job", "b", at(9), LIFE).await?, None);
    first.renew(&store, at(9), LIFE).await?;
    assert_eq!(Lease::acquire(&store, "job", "b", at(18), LIFE).await?, None);
    let second = Lease::acquire(&store, "job", "b", at(19), LIFE).await?.unwrap();
    assert!(second.token() > first.token());
    assert!(matches!(first.renew(&store, at(19), LIFE).await, Err(StoreError::LeaseLost { .. })));
    let token = second.token();
    second.release(&store).await?;
    let third = Lease::acquire(&store, "job", "c", at(19), LIFE).await?.unwrap();
    assert!(third.token() > token);
    Ok(())
}

async fn one_of_many(store: Store) -> Result<(), StoreError> {
    let tasks: Vec<_> = (0..10)
        .map(|n| {
            let store = store.clone();
            tokio::spawn(async move { Lease::acquire(&store, "job", &format!("n{n}"), at(0), LIFE).await })
        })
        .collect();
    let mut holders = 0;
    for task in tasks {
        holders += u32::from(task.await.unwrap()?.is_some());
    }
    assert_eq!(holders, 1);
    Ok(())
}

async fn fenced(store: Store) -> Result<(), StoreError> {
    let lost = &Lease::acquire(&store, "job", "a", at(0), LIFE).await?.unwrap();
    let held = &Lease::acquire(&store, "job", "b", at(11), LIFE).await?.unwrap();
    let write = |lease: &'static str, held: Lease| {
        let store = store.clone();
        async move {
            let held = &held;
            store
                .write(|tx| async move {
                    held.fence(&tx).await?;
                    tx.put(&Key::of("done"), lease)
                })
                .await
        }
    };
    assert!(matches!(write("lost", lost.clone()).await, Err(StoreError::LeaseLost { .. })));
    write("held", held.clone()).await
}
