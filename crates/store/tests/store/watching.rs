use std::sync::{Arc, Mutex};

use homeport_store::{Collection, Key, KeyParts, Record, Store, StoreError, Versionstamp};
use serde::{Deserialize, Serialize};

use crate::Clause;

pub(crate) const CLAUSES: &[Clause] = &[
    ("calls have run before the write returns", |s| Box::pin(calls_run_before(s))),
    ("a watch wakes for its prefix alone", |s| Box::pin(a_watch_wakes(s))),
    ("changes are numbered for each prefix", |s| Box::pin(changes_are_numbered(s))),
];

#[derive(Clone, Serialize, Deserialize)]
struct Policy {
    name: String,
}

impl Record for Policy {
    const COLLECTION: &'static str = "policies";
    const VERSION: u16 = 1;
    const WATCHED: bool = true;

    fn key(&self) -> KeyParts {
        KeyParts::from(&self.name)
    }
}

const POLICIES: Collection<Policy> = Collection::new();

async fn put(store: &Store, name: &str) -> Result<(), StoreError> {
    store.write(|tx| async move { POLICIES.put(&tx, &Policy { name: name.to_owned() }).await }).await
}

async fn calls_run_before(store: Store) -> Result<(), StoreError> {
    let told = Arc::new(Mutex::new(Vec::<Versionstamp>::new()));
    let telling = Arc::clone(&told);
    store.on_change(&POLICIES.root(), Arc::new(move |stamp| telling.lock().unwrap().push(stamp)));
    put(&store, "a").await?;
    assert_eq!(told.lock().unwrap().len(), 1);
    store.write(|tx| async move { tx.put(&Key::of("items"), "unwatched") }).await?;
    assert_eq!(told.lock().unwrap().len(), 1);
    store.write(|tx| async move { POLICIES.delete(&tx, "a").await.map(drop) }).await?;
    let told = told.lock().unwrap();
    assert_eq!(told.len(), 2);
    assert!(told[0] < told[1]);
    Ok(())
}

async fn a_watch_wakes(store: Store) -> Result<(), StoreError> {
    let mut watch = store.watch(&POLICIES.key("b"));
    put(&store, "a").await?;
    let waiting = tokio::spawn(async move { watch.changed().await });
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    put(&store, "b").await?;
    assert!(waiting.await.unwrap() > Versionstamp::default());
    Ok(())
}

async fn changes_are_numbered(store: Store) -> Result<(), StoreError> {
    let (all, one) = (store.changes(&POLICIES.root()), store.changes(&POLICIES.key("a")));
    let before = (all.current(), one.current());
    assert_eq!((all.current(), one.current()), before);
    put(&store, "a").await?;
    put(&store, "b").await?;
    let after = (all.current(), one.current());
    assert_eq!(after, (before.0 + 2, before.1 + 1));
    assert!(store.is_current());
    Ok(())
}
