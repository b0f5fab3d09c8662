//! One contract, every engine: the same functions run on the embedded engine and on the testkit's.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "store/collections.rs"]
mod collections;
#[path = "store/counters.rs"]
mod counters;
#[path = "store/leases.rs"]
mod leases;
#[path = "store/transactions.rs"]
mod transactions;
#[path = "store/watching.rs"]
mod watching;

use std::pin::Pin;

use homeport_store::{EmbeddedOptions, Store, StoreError};

/// One clause: a sentence and the function that tries it on a fresh store.
type Clause = (&'static str, fn(Store) -> Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send>>);

/// Everything an engine must do.
fn contract() -> impl Iterator<Item = &'static Clause> {
    [transactions::CLAUSES, counters::CLAUSES, collections::CLAUSES, leases::CLAUSES, watching::CLAUSES]
        .into_iter()
        .flatten()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_testkit_engine_keeps_the_contract() {
    for (sentence, clause) in contract() {
        for seed in 0..8 {
            clause(Store::testkit(seed))
                .await
                .unwrap_or_else(|error| panic!("{sentence} (seed {seed}): {error}"));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_embedded_engine_keeps_the_contract() {
    for (sentence, clause) in contract() {
        let folder = tempfile::tempdir().unwrap();
        // So little memory that files are made and read on the way.
        let scarce =
            EmbeddedOptions { row_cache_bytes: 64 << 10, memtable_bytes: 64 << 10, ..Default::default() };
        for options in [EmbeddedOptions::default(), scarce] {
            let folder = folder.path().join(options.memtable_bytes.to_string());
            let store = Store::open(&folder, options).await.unwrap();
            clause(store).await.unwrap_or_else(|error| panic!("{sentence}: {error}"));
        }
    }
}
