//! Several nodes on one database, and a network between that fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use homeport_core::{Randomness, SeededRandomness};
use homeport_store::{Direction, Key, MAX_PAGE_ROWS, OpenError, Range, Store, StoreError};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::proxy::Proxy;
use crate::{cluster, model, seeds};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn histories_on_three_nodes_are_serializable() {
    let Some(cluster) = cluster() else { return };
    for seed in seeds() {
        for size in model::SIZES {
            let database = cluster.database().await;
            let mut nodes = Vec::new();
            for _ in 0..3 {
                nodes.push(cluster.node(&database).await);
            }
            let outcome = model::run_on(&nodes, seed, size).await;
            outcome.unwrap_or_else(|why| panic!("seed {seed}, size {size:?}: {why}"));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_start_at_once_make_one_store() {
    let Some(cluster) = cluster() else { return };
    let cluster = Arc::new(cluster);
    let mut starting = JoinSet::new();
    let name = cluster.database().await;
    for _ in 0..8 {
        let (cluster, name) = (Arc::clone(&cluster), name.clone());
        starting.spawn(async move {
            let node = cluster.node(&name).await;
            node.count(&Key::of("started"), 1, i64::MAX).await.unwrap();
            node.write(|tx| async move { tx.add(&Key::of("added"), 1) }).await.unwrap();
            node
        });
    }
    let nodes = starting.join_all().await;
    for node in &nodes {
        for name in ["started", "added"] {
            let read = node.read(|tx| async move { tx.get_i64(&Key::of(name)).await });
            assert_eq!(read.await.unwrap(), Some(8), "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_is_told_on_every_node_within_a_second() {
    let Some(cluster) = cluster() else { return };
    let database = cluster.database().await;
    let (one, other) = (cluster.node(&database).await, cluster.node(&database).await);
    let mut watch = other.watch(&Key::of("watched"));
    one.write(|tx| async move { tx.touch(&Key::of("unwatched")) }).await.unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(600), watch.changed()).await.is_err());
    for _ in 0..5 {
        one.write(|tx| async move { tx.touch(&Key::of("watched").str("a")) }).await.unwrap();
        tokio::time::timeout(Duration::from_secs(1), watch.changed()).await.expect("it is told");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_groups_are_forgotten_and_a_node_that_missed_them_goes_on() {
    let Some(cluster) = cluster() else { return };
    let database = cluster.database().await;
    let (one, other) = (cluster.node(&database).await, cluster.node(&database).await);
    let add = async |node: &Store| {
        node.write(|tx| async move {
            let key = &Key::of("read");
            let before = tx.get_i64(key).await?.unwrap_or_default();
            tx.put(key, (before + 1).to_be_bytes().to_vec())
        })
        .await
        .unwrap()
    };
    add(&other).await;
    for _ in 0..10 {
        add(&one).await;
    }
    let sql = cluster.sql(&database).await;
    sql.batch_execute("UPDATE homeport.groups SET at = now() - interval '11 minutes'").await.unwrap();
    let third = cluster.node(&database).await;
    let began = Instant::now();
    let left =
        async || sql.query_one("SELECT count(*) FROM homeport.groups", &[]).await.unwrap().get::<_, i64>(0);
    while left().await > 0 {
        assert!(began.elapsed() < Duration::from_secs(10), "they are still there");
        sleep(Duration::from_millis(50)).await;
    }
    for node in [&other, &one, &third] {
        add(node).await;
    }
    let read = third.read(|tx| async move { tx.get_i64(&Key::of("read")).await });
    assert_eq!(read.await.unwrap(), Some(14));
}

/// Waits until `holds`, at most `patience`.
async fn until(patience: Duration, what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < patience, "not within {patience:?}: {what}");
        sleep(Duration::from_millis(10)).await;
    }
}

async fn touch(node: &Store, name: &str) {
    node.write(|tx| async move { tx.touch(&Key::of(name)) }).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_hears_nothing_trusts_no_cache_after_five_seconds() {
    let Some(cluster) = cluster() else { return };
    let database = cluster.database().await;
    let proxy = Proxy::before(cluster.port()).await;
    let (node, other) = (cluster.node_by(proxy.port(), &database).await, cluster.node(&database).await);
    let changes = node.changes(&Key::of("watched"));
    let before = changes.current();
    assert!(node.has_neighbours() && node.is_current());
    proxy.silence();
    let silent = Instant::now();
    touch(&other, "watched").await;
    while silent.elapsed() < Duration::from_secs(4) {
        assert_eq!(changes.current(), before, "what was heard still counts");
        sleep(Duration::from_millis(100)).await;
    }
    until(Duration::from_secs(2), "it trusts itself", || !node.is_current()).await;
    assert!(silent.elapsed() < Duration::from_millis(5_100), "{:?}", silent.elapsed());
    let numbers: std::collections::HashSet<u64> = (0..100).map(|_| changes.current()).collect();
    assert!(numbers.len() == 100 && !numbers.contains(&before), "a cache may be used");

    let mut watch = node.watch(&Key::of("untouched"));
    proxy.speak();
    until(Duration::from_secs(10), "it hears again", || node.is_current()).await;
    // The look that had begun before is worth little, so that it may lose its trust once more.
    sleep(Duration::from_millis(600)).await;
    let after = changes.current();
    assert!(after > before && !numbers.contains(&after), "the change was missed");
    tokio::time::timeout(Duration::from_millis(1), watch.changed()).await.expect("everyone is told");
    let again = tokio::time::timeout(Duration::from_millis(600), watch.changed()).await;
    assert!(again.is_err() && changes.current() == after, "it is steady again");
    touch(&other, "watched").await;
    until(Duration::from_secs(1), "the next change is heard", || changes.current() == after + 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_was_forgotten_before_it_was_heard_is_told_to_everyone() {
    let Some(cluster) = cluster() else { return };
    let database = cluster.database().await;
    let proxy = Proxy::before(cluster.port()).await;
    let (node, other) = (cluster.node_by(proxy.port(), &database).await, cluster.node(&database).await);
    let sql = cluster.sql(&database).await;
    for again in 0..2 {
        let changes = node.changes(&Key::of("watched"));
        let calls = Arc::new(AtomicU64::default());
        let calling = Arc::clone(&calls);
        let call = move |_| {
            calling.fetch_add(1, Ordering::SeqCst);
        };
        node.on_change(&Key::of("watched"), Arc::new(call));
        proxy.silence();
        touch(&other, "watched").await;
        sql.batch_execute("DELETE FROM homeport.groups").await.unwrap();
        // Found by the row that comes next, or, where none does, by the clock.
        if again == 1 {
            touch(&other, "unwatched").await;
        }
        assert_eq!((changes.current(), calls.load(Ordering::SeqCst)), (0, 0));
        proxy.speak();
        let told = || (changes.current(), calls.load(Ordering::SeqCst)) == (1, 1);
        until(Duration::from_secs(2), "everyone is told", told).await;
        assert!(node.is_current());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_is_told_within_a_second_where_there_are_no_notifications() {
    let Some(cluster) = cluster() else { return };
    let database = cluster.database().await;
    let sql = cluster.sql(&database).await;
    sql.batch_execute("ALTER FUNCTION pg_catalog.pg_notify(text, text) RENAME TO pg_no_notify")
        .await
        .unwrap();
    let (one, other) = (cluster.node(&database).await, cluster.node(&database).await);
    let mut watch = other.watch(&Key::of("watched"));
    for _ in 0..3 {
        touch(&one, "watched").await;
        tokio::time::timeout(Duration::from_secs(1), watch.changed()).await.expect("it is told");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_stops_where_a_newer_one_has_upgraded_the_store() {
    let Some(cluster) = cluster() else { return };
    let database = cluster.database().await;
    let node = cluster.node(&database).await;
    let sql = cluster.sql(&database).await;
    let set =
        async |format: i32| sql.execute("UPDATE homeport.clock SET format = $1", &[&format]).await.unwrap();
    assert!(serves(&node, Duration::from_secs(2)).await);
    let format: i32 = sql.query_one("SELECT format FROM homeport.clock", &[]).await.unwrap().get(0);
    let (ours, theirs) = (format.unsigned_abs(), format.unsigned_abs() + 1);
    set(format + 1).await;
    let upgraded = |error: &StoreError| {
        matches!(error, StoreError::OtherFormat { found, known }
            if u64::from(*found) == u64::from(theirs) && u64::from(*known) == u64::from(ours))
            && !error.is_away()
    };
    let (key, range) = (&Key::of("written"), &Range::prefix(&Key::of("written")));
    let got = node.read(|tx| async move { tx.get(key).await });
    assert!(upgraded(&got.await.unwrap_err()));
    let got = node.read(|tx| async move { tx.get_many(std::slice::from_ref(key)).await });
    assert!(upgraded(&got.await.unwrap_err()));
    let found = node.read(|tx| async move { tx.scan(range.clone(), Direction::Backward, 5).await });
    assert!(upgraded(&found.await.unwrap_err()));
    assert!(upgraded(&node.write(|tx| async move { tx.add(key, 1) }).await.unwrap_err()));
    assert!(upgraded(&node.count(key, 1, 10).await.unwrap_err()));
    let sum: i64 = sql.query_one("SELECT last FROM homeport.clock", &[]).await.unwrap().get(0);
    assert_eq!(sum, 1, "something was written");
    let newer =
        cluster.node_at(&format!("postgres://homeport@127.0.0.1:{}/{database}", cluster.port())).await;
    assert!(matches!(newer, Err(OpenError::NewerFormat { found, known })
            if u64::from(found) == u64::from(theirs) && u64::from(known) == u64::from(ours)));
    until(Duration::from_secs(7), "its caches count no more", || !node.is_current()).await;
    set(format).await;
    recovers(&node).await;
}

/// What a node's sessions commit with, as a trigger finds it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_acknowledged_was_flushed_whatever_the_default_is() {
    let Some(cluster) = cluster() else { return };
    for (default, used) in [("off", "on"), ("local", "on"), ("on", "on"), ("remote_apply", "remote_apply")] {
        let database = cluster.database().await;
        let sql = cluster.sql(&database).await;
        let set = format!("ALTER DATABASE {database} SET synchronous_commit = {default}");
        sql.batch_execute(&set).await.unwrap();
        let node = cluster.node(&database).await;
        let noted = "CREATE TABLE noted (setting text);
            CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
              $$BEGIN INSERT INTO noted VALUES (current_setting('synchronous_commit')); RETURN NEW; END$$;
            CREATE TRIGGER note BEFORE INSERT ON homeport.groups FOR EACH ROW EXECUTE FUNCTION note()";
        sql.batch_execute(noted).await.unwrap();
        touch(&node, "a").await;
        let found: String = sql.query_one("SELECT setting FROM noted", &[]).await.unwrap().get(0);
        assert_eq!(found, used, "{default}");
    }
}

/// A read and a write, both of which must answer soon: whether the database is there for both.
async fn serves(node: &Store, soon: Duration) -> bool {
    let key = &Key::of("probe");
    let read = tokio::time::timeout(soon, node.read(|tx| async move { tx.get(key).await.map(drop) }));
    let written = tokio::time::timeout(soon, node.write(|tx| async move { tx.add(&Key::of("written"), 1) }));
    let (read, written) = tokio::join!(read, written);
    let ends = [read, written].map(|end| end.unwrap_or_else(|_| panic!("no answer within {soon:?}")));
    ends.into_iter().all(|end| match end {
        Ok(()) => true,
        Err(error) if error.is_away() => false,
        Err(error) => panic!("{error}"),
    })
}

/// While the database is away the node refuses, at first after a look, then at once.
async fn refuses(node: &Store) {
    assert!(!serves(node, Duration::from_secs(9)).await);
    for _ in 0..100 {
        assert!(!serves(node, Duration::from_millis(500)).await);
    }
}

async fn recovers(node: &Store) {
    let began = Instant::now();
    while !(serves(node, Duration::from_secs(9)).await && node.is_current()) {
        assert!(began.elapsed() < Duration::from_secs(10), "service has not resumed");
        sleep(Duration::from_millis(50)).await;
    }
    for _ in 0..100 {
        assert!(serves(node, Duration::from_secs(2)).await, "service resumes for good");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_resumes_when_its_database_is_back() {
    let Some(cluster) = cluster() else { return };
    let database = cluster.database().await;
    let node = cluster.node(&database).await;
    assert!(serves(&node, Duration::from_secs(1)).await);
    cluster.stop();
    refuses(&node).await;
    cluster.start_again();
    recovers(&node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_resumes_when_the_network_dropped_its_connections_without_a_word() {
    let Some(cluster) = cluster() else { return };
    let database = cluster.database().await;
    let proxy = Proxy::before(cluster.port()).await;
    let node = cluster.node_by(proxy.port(), &database).await;
    assert!(serves(&node, Duration::from_secs(1)).await);
    proxy.silence();
    refuses(&node).await;
    proxy.forget();
    recovers(&node).await;
    proxy.forget();
    recovers(&node).await;
}

/// Each transaction puts a row of its own and adds one: nothing that was acknowledged may be missing, and the sum must be
/// the number of rows, whatever became of those that were not acknowledged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_connection_loses_no_commit_and_applies_none_twice() {
    let Some(cluster) = cluster() else { return };
    let database = cluster.database().await;
    let proxy = Proxy::before(cluster.port()).await;
    let (through, direct) = (cluster.node_by(proxy.port(), &database).await, cluster.node(&database).await);
    let over = Arc::new(AtomicBool::new(false));
    let mut clients = JoinSet::new();
    for client in 0..16_u64 {
        let node = if client < 12 { through.clone() } else { direct.clone() };
        clients.spawn(write_rows(node, client, Arc::clone(&over)));
    }
    let dice = SeededRandomness::new(3);
    for _ in 0..40 {
        let mut byte = [0];
        dice.fill(&mut byte);
        sleep(Duration::from_millis(20 + u64::from(byte[0]))).await;
        proxy.cut();
    }
    over.store(true, Ordering::Relaxed);
    let known: Vec<Key> = clients.join_all().await.into_iter().flatten().collect();
    assert!(known.len() > 100, "{} writes went through", known.len());
    for keys in known.chunks(1_000) {
        let found = direct.read(|tx| async move { tx.get_many(keys).await }).await.unwrap();
        assert!(found.iter().all(Option::is_some), "an acknowledged row is missing");
    }
    let (rows, sum) = (count_rows(&direct).await, read_sum(&direct).await);
    assert_eq!(i64::try_from(rows).unwrap(), sum, "a transaction was applied in parts, or twice");
    assert!(rows >= known.len());
    // And service has resumed by itself.
    let ended = Instant::now();
    while through.write(|tx| async move { tx.add(&Key::of("sum"), 0) }).await.is_err() {
        assert!(ended.elapsed() < Duration::from_secs(10), "service has not resumed");
        sleep(Duration::from_millis(50)).await;
    }
}

async fn write_rows(node: Store, client: u64, over: Arc<AtomicBool>) -> Vec<Key> {
    let mut known = Vec::new();
    for number in 0.. {
        if over.load(Ordering::Relaxed) {
            break;
        }
        let key = Key::of("row").u64(client).u64(number);
        let put = &key;
        let written = node.write(|tx| async move {
            tx.put(put, "row")?;
            tx.add(&Key::of("sum"), 1)
        });
        match written.await {
            Ok(()) => known.push(key),
            Err(_) => sleep(Duration::from_millis(20)).await,
        }
    }
    known
}

async fn count_rows(store: &Store) -> usize {
    let mut range = Range::prefix(&Key::of("row"));
    let mut count = 0;
    loop {
        let from = &range;
        let page = store
            .read(|tx| async move { tx.scan(from.clone(), Direction::Forward, MAX_PAGE_ROWS).await })
            .await
            .unwrap();
        count += page.rows.len();
        match page.rows.last().filter(|_| page.more) {
            Some(last) => range = range.after(&last.key),
            None => return count,
        }
    }
}

async fn read_sum(store: &Store) -> i64 {
    let sum: Result<_, StoreError> = store.read(|tx| async move { tx.get_i64(&Key::of("sum")).await }).await;
    sum.unwrap().unwrap_or_default()
}
