//! What a node does while the database serves and its commits are stuck.

use std::time::Duration;

use homeport_store::{Key, Store, StoreError};
use tokio::time::{Instant, sleep, timeout};

use crate::cluster;

async fn add(node: &Store) -> Result<(), StoreError> {
    node.write(|tx| async move { tx.add(&Key::of("number"), 1) }).await
}

async fn number(node: &Store) -> Option<i64> {
    node.read::<_, StoreError, _, _>(|tx| async move { tx.get_i64(&Key::of("number")).await }).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_only_the_primary_has_is_not_acknowledged_before_its_standby_has_it() {
    let Some(cluster) = cluster() else { return };
    let database = cluster.database().await;
    let node = cluster.node(&database).await;
    add(&node).await.unwrap();
    let sql = cluster.sql(&database).await;
    let standby = async |name: &str| {
        let set = format!("ALTER SYSTEM SET synchronous_standby_names = '{name}'");
        sql.batch_execute("SET synchronous_commit = local").await.unwrap();
        sql.batch_execute(&set).await.unwrap();
        sql.batch_execute("SELECT pg_reload_conf()").await.unwrap();
    };
    standby("gone").await;
    sleep(Duration::from_millis(300)).await;
    let mut writing = tokio::spawn({
        let node = node.clone();
        async move { add(&node).await }
    });
    let waiting = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    let begun = Instant::now();
    // From here on it is committed, and nobody waits for the standby.
    while sql.query(waiting, &[]).await.unwrap().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(5), "nothing waits for the standby");
        sleep(Duration::from_millis(20)).await;
    }
    assert!(timeout(Duration::from_secs(3), &mut writing).await.is_err(), "it was acknowledged");
    standby("").await;
    timeout(Duration::from_secs(20), writing).await.expect("it goes on").unwrap().unwrap();
    assert_eq!(number(&node).await, Some(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_another_session_holds_up_is_refused_once_and_not_again_and_again() {
    let Some(cluster) = cluster() else { return };
    let database = cluster.database().await;
    let node = cluster.node(&database).await;
    add(&node).await.unwrap();
    let sql = cluster.sql(&database).await;
    sql.batch_execute("BEGIN; SELECT * FROM homeport.clock FOR UPDATE").await.unwrap();
    let begun = Instant::now();
    let refused = add(&node).await;
    assert!(matches!(&refused, Err(error) if error.is_away()), "{refused:?}");
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    assert!(node.is_away(), "whoever asks is told why it failed");
    assert_eq!(number(&node).await, Some(1), "reads go on");
    sql.batch_execute("ROLLBACK").await.unwrap();
    add(&node).await.unwrap();
    assert_eq!(number(&node).await, Some(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_database_has_no_room_for_is_refused_at_once() {
    const FULL: &str = "CREATE FUNCTION homeport.no_room() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$;
        CREATE TRIGGER no_room BEFORE INSERT ON homeport.rows EXECUTE FUNCTION homeport.no_room()";
    let Some(cluster) = cluster() else { return };
    let database = cluster.database().await;
    let node = cluster.node(&database).await;
    add(&node).await.unwrap();
    let sql = cluster.sql(&database).await;
    sql.batch_execute(FULL).await.unwrap();
    let begun = Instant::now();
    for _ in 0..20 {
        let refused = add(&node).await;
        assert!(matches!(&refused, Err(error) if error.is_away()), "{refused:?}");
    }
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    sql.batch_execute("DROP TRIGGER no_room ON homeport.rows").await.unwrap();
    add(&node).await.unwrap();
    assert_eq!(number(&node).await, Some(2));
}
