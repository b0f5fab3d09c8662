//! One contract, every engine: the same functions run on the embedded engine and on the testkit's.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "store/cluster.rs"]
mod cluster;
#[path = "store/collections.rs"]
mod collections;
#[path = "store/counters.rs"]
mod counters;
#[path = "store/exports.rs"]
mod exports;
#[path = "store/lanes.rs"]
mod lanes;
#[path = "store/leases.rs"]
mod leases;
#[path = "store/model.rs"]
mod model;
#[path = "store/nodes.rs"]
mod nodes;
#[path = "store/opening.rs"]
mod opening;
#[path = "store/proxy.rs"]
mod proxy;
#[path = "store/reaching.rs"]
mod reaching;
#[path = "store/stuck.rs"]
mod stuck;
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
    let clauses = [
        transactions::CLAUSES,
        counters::CLAUSES,
        collections::CLAUSES,
        leases::CLAUSES,
        watching::CLAUSES,
        exports::CLAUSES,
    ];
    clauses.into_iter().flatten()
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

/// So little memory that files are made and read on the way.
fn scarce() -> EmbeddedOptions {
    EmbeddedOptions { row_cache_bytes: 64 << 10, memtable_bytes: 64 << 10, ..EmbeddedOptions::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_embedded_engine_keeps_the_contract() {
    for (sentence, clause) in contract() {
        for options in [EmbeddedOptions::default(), scarce()] {
            let folder = tempfile::tempdir().unwrap();
            let store = Store::open(folder.path(), options).await.unwrap();
            clause(store).await.unwrap_or_else(|error| panic!("{sentence}: {error}"));
        }
    }
}

/// A word where PostgreSQL is missing: nothing was tried then.
fn cluster() -> Option<cluster::Cluster> {
    let cluster = cluster::Cluster::start();
    if cluster.is_none() {
        eprintln!("SKIPPED: PostgreSQL is not installed");
    }
    cluster
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_engine_for_several_nodes_keeps_the_contract() {
    let Some(cluster) = cluster() else { return };
    for (sentence, clause) in contract() {
        let store = cluster.store().await;
        clause(store).await.unwrap_or_else(|error| panic!("{sentence}: {error}"));
    }
}

/// How many seeds the model is tried with.
#[expect(clippy::disallowed_methods, reason = "how thorough a run is comes from outside")]
fn seeds() -> std::ops::Range<u64> {
    let asked = |name| std::env::var_os(name).is_some();
    match (asked("PROVE"), asked("FULL")) {
        (true, true) => 0..1_000,
        (true, false) => 0..200,
        (false, _) => 0..12,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn histories_on_the_testkit_engine_are_serializable() {
    for seed in seeds() {
        for size in model::SIZES {
            let outcome = model::run(Store::testkit(seed), seed, size).await;
            outcome.unwrap_or_else(|why| panic!("seed {seed}, size {size:?}: {why}"));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn histories_on_the_embedded_engine_are_serializable() {
    for seed in seeds() {
        for size in model::SIZES {
            let folder = tempfile::tempdir().unwrap();
            let store = Store::open(folder.path(), scarce()).await.unwrap();
            let outcome = model::run(store, seed, size).await;
            outcome.unwrap_or_else(|why| panic!("seed {seed}, size {size:?}: {why}"));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn histories_on_the_engine_for_several_nodes_are_serializable() {
    let Some(cluster) = cluster() else { return };
    for seed in seeds() {
        for size in model::SIZES {
            let outcome = model::run(cluster.store().await, seed, size).await;
            outcome.unwrap_or_else(|why| panic!("seed {seed}, size {size:?}: {why}"));
        }
    }
}
