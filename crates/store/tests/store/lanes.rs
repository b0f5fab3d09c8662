//! Single keys are read by connections that transactions share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use homeport_store::{Direction, Key, Range, Store, StoreError, Tx};
use tokio_postgres::Client;

use crate::cluster;

const OF_NODES: &str = "application_name LIKE 'homeport %' AND datname = current_database()";

async fn sessions(sql: &Client) -> i64 {
    let count = format!("SELECT count(*) FROM pg_stat_activity WHERE {OF_NODES}");
    sql.query_one(&count, &[]).await.unwrap().get(0)
}

async fn get(store: &Store, row: u64) -> Result<Option<Bytes>, StoreError> {
    store.read(|tx: Tx| async move { tx.get(&Key::of("row").u64(row)).await }).await
}

/// Whether all rows can be read, at once.
async fn all_read(store: &Store) -> bool {
    let reading = (0..100).map(|row| {
        let store = store.clone();
        tokio::spawn(async move { get(&store, row).await })
    });
    let mut all = true;
    for reader in reading.collect::<Vec<_>>() {
        all &= reader.await.unwrap().is_ok();
    }
    all
}

async fn fill(store: &Store) {
    let put = |tx: Tx| (0..100).try_for_each(|row: u64| tx.put(&Key::of("row").u64(row), row.to_string()));
    let filled: Result<(), StoreError> = store.write(|tx| std::future::ready(put(tx))).await;
    filled.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn however_many_read_at_once_each_has_its_answer_and_a_node_keeps_to_its_connections() {
    let Some(cluster) = cluster() else { return };
    let database = cluster.database().await;
    let node = cluster.node_with(&database, 4).await;
    fill(&node).await;
    let (sql, over) = (cluster.sql(&database).await, Arc::new(AtomicBool::new(false)));
    let watch = tokio::spawn({
        let over = Arc::clone(&over);
        async move {
            let mut most = 0;
            while !over.load(Ordering::Relaxed) {
                most = most.max(sessions(&sql).await);
            }
            most
        }
    });
    let reading = (0..400_u64).map(|at| {
        let node = node.clone();
        tokio::spawn(async move {
            for row in (at % 100)..100 {
                let read = get(&node, row).await.unwrap();
                assert_eq!(read.as_deref(), Some(row.to_string().as_bytes()));
            }
            // A second read in one transaction, and a scan, need a connection of their own.
            let both = node.read(|tx: Tx| async move {
                let one = tx.get(&Key::of("row").u64(1)).await?;
                let page = tx.scan(Range::all(), Direction::Forward, 200).await?;
                Ok::<_, StoreError>((one, page.rows.len()))
            });
            assert_eq!(both.await.unwrap(), (Some(Bytes::from("1")), 100));
        })
    });
    for reader in reading.collect::<Vec<_>>() {
        reader.await.unwrap();
    }
    over.store(true, Ordering::Relaxed);
    assert_eq!(watch.await.unwrap(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_the_database_ends_is_made_anew() {
    let Some(cluster) = cluster() else { return };
    let database = cluster.database().await;
    let node = cluster.node(&database).await;
    fill(&node).await;
    let sql = cluster.sql(&database).await;
    for _ in 0..3 {
        assert!(all_read(&node).await);
        let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {OF_NODES}");
        sql.query(&end, &[]).await.unwrap();
        tokio::time::timeout(Duration::from_secs(5), async {
            while !all_read(&node).await {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await
        .expect("it reads again");
    }
}
