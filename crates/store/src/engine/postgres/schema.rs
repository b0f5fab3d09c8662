//! The tables, made by whichever node comes first, and upgraded by whichever newer one does.

use tokio_postgres::Row;
use tokio_postgres::error::SqlState;

use super::NoClock;
use super::connect::{Database, Session};
use super::trouble::failed;
use crate::{OpenError, StoreError};

/// What makes each format of the next older one; the first makes 2 of 1. Nodes that know only the older one stop at once.
const STEPS: &[&str] = &[
    // DynamoDB's tables have streams, time to live, and indexes that come and go: rows that older nodes would not keep.
    "SELECT 1",
];
/// The format of the tables.
const FORMAT: i32 = format_behind(STEPS);
/// Nodes that make the tables at the same time may run into each other: then they look again.
const ATTEMPTS: usize = 10;

const TABLES: &str = "
    CREATE SCHEMA IF NOT EXISTS homeport;
    CREATE TABLE IF NOT EXISTS homeport.rows (key bytea PRIMARY KEY, value bytea NOT NULL);
    CREATE TABLE IF NOT EXISTS homeport.clock (
        one boolean PRIMARY KEY CHECK (one), last bigint NOT NULL, format int NOT NULL);
    CREATE TABLE IF NOT EXISTS homeport.groups (
        last bigint PRIMARY KEY, previous bigint NOT NULL, id bytea NOT NULL UNIQUE, node bytea NOT NULL,
        changed bytea NOT NULL, touched bytea, at timestamptz NOT NULL DEFAULT now());
    INSERT INTO homeport.clock (one, last, format) VALUES (true, 0, 1) ON CONFLICT (one) DO NOTHING;
";
const FOUND: &str = "SELECT last, format FROM homeport.clock";
/// Whoever has the clock's row has the tables: no node commits meanwhile.
const BEGIN_UPGRADE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = 0";
const LOCK: &str = "SELECT format FROM homeport.clock FOR UPDATE";
const UPGRADED: &str = "UPDATE homeport.clock SET format = $1";
/// A session that acknowledges before the flush is made to wait for it; what waits for standbys, too, stays as it is.
pub(super) const DURABLE: &str = "SELECT set_config('synchronous_commit', 'on', false)
    WHERE current_setting('synchronous_commit') IN ('off', 'local')";
/// What must be on for that flush to mean something. (How many predicate locks there may be does not matter: transactions
/// are validated here, not by the database.)
const RISKS: &str =
    "SELECT name FROM pg_settings WHERE name IN ('fsync', 'full_page_writes') AND setting = 'off'";

#[expect(clippy::cast_possible_wrap, clippy::cast_possible_truncation, reason = "a handful")]
const fn format_behind(steps: &[&str]) -> i32 {
    1 + steps.len() as i32
}

/// Refuses to work on tables of another format than this program's, as a newer program may leave them at any time.
pub(super) fn check(format: i32) -> Result<(), StoreError> {
    if format == FORMAT {
        return Ok(());
    }
    Err(StoreError::OtherFormat { found: number(format), known: number(FORMAT) })
}

/// Makes the tables where they are missing, unless they `must_exist`, and upgrades older ones; the number of the last
/// commit.
pub(super) async fn prepare(database: &Database, must_exist: bool) -> Result<u64, OpenError> {
    if must_exist {
        let session = database.connected().await.map_err(not_opened)?;
        look(database, &session).await.map_err(not_opened)?.ok_or(OpenError::Missing)?;
    }
    let last = prepare_by(database, STEPS).await?;
    for risk in risks(database).await {
        tracing::warn!(
            "the database's {risk} is off: what was acknowledged may be lost with its machine's power"
        );
    }
    Ok(last)
}

async fn prepare_by(database: &Database, steps: &[&str]) -> Result<u64, OpenError> {
    let known = format_behind(steps);
    let mut attempt = 0;
    loop {
        match try_to_prepare(database, steps).await {
            Ok((last, format)) if format == known => return Ok(last),
            Ok((_, format)) if format > known => {
                return Err(OpenError::NewerFormat { found: number(format), known: number(known) });
            }
            Ok(_) => return Err(OpenError::NotAStore),
            Err(Failed::Raced) if attempt < ATTEMPTS => attempt += 1,
            Err(Failed::Raced) => return Err(OpenError::Engine(Box::new(NoClock))),
            Err(Failed::Store(error)) => return Err(not_opened(error)),
        }
    }
}

fn not_opened(error: StoreError) -> OpenError {
    match error {
        StoreError::Away(why) => OpenError::Away(why),
        error => OpenError::Engine(Box::new(error)),
    }
}

/// What can't be asked, as on other databases, is no risk that could be named.
async fn risks(database: &Database) -> Vec<String> {
    let Ok(session) = database.connected().await else { return Vec::new() };
    let found = database.answer(&session, session.query(RISKS, &[])).await;
    found.unwrap_or_default().iter().map(|row| row.get(0)).collect()
}

enum Failed {
    Raced,
    Store(StoreError),
}

/// The clock's row, if the tables are there.
async fn look(database: &Database, session: &Session) -> Result<Option<Row>, StoreError> {
    let asked = async {
        session.batch_execute(DURABLE).await?;
        match session.query_opt(FOUND, &[]).await {
            Err(error) if is_missing(&error) => Ok(None),
            found => found,
        }
    };
    database.answer(session, asked).await
}

/// The last commit and the format, after what could be done about it.
async fn try_to_prepare(database: &Database, steps: &[&str]) -> Result<(u64, i32), Failed> {
    let session = database.connected().await.map_err(Failed::Store)?;
    let mut found = look(database, &session).await.map_err(Failed::Store)?;
    if found.is_none() {
        session.batch_execute(TABLES).await.map_err(raced)?;
        found = session.query_opt(FOUND, &[]).await.map_err(raced)?;
    }
    let row = found.ok_or(Failed::Raced)?;
    let (last, format): (i64, i32) = (row.get(0), row.get(1));
    let known = format_behind(steps);
    if !(1..known).contains(&format) {
        return Ok((last.unsigned_abs(), format));
    }
    upgrade(&session, steps).await.map_err(raced)?;
    tracing::info!("the store was upgraded from format {format} to {known}");
    let row = session.query_one(FOUND, &[]).await.map_err(raced)?;
    Ok((row.get::<_, i64>(0).unsigned_abs(), row.get(1)))
}

/// All steps that are missing, in one transaction. It takes as long as it takes.
async fn upgrade(session: &Session, steps: &[&str]) -> Result<(), tokio_postgres::Error> {
    session.batch_execute(BEGIN_UPGRADE).await?;
    let format: i32 = session.query_one(LOCK, &[]).await?.get(0);
    // Another node may have been here first.
    let done = usize::try_from(format - 1).unwrap_or_default();
    for step in steps.iter().skip(done) {
        session.batch_execute(step).await?;
    }
    if done < steps.len() {
        session.execute(UPGRADED, &[&format_behind(steps)]).await?;
    }
    session.batch_execute("COMMIT").await
}

fn number(format: i32) -> u32 {
    u32::try_from(format).unwrap_or(u32::MAX)
}

fn is_missing(error: &tokio_postgres::Error) -> bool {
    matches!(error.code(), Some(code) if [SqlState::UNDEFINED_TABLE, SqlState::INVALID_SCHEMA_NAME].contains(code))
}

/// `IF NOT EXISTS` doesn't hold against another session that is making the same.
fn raced(error: tokio_postgres::Error) -> Failed {
    const OTHERS: [SqlState; 6] = [
        SqlState::UNIQUE_VIOLATION,
        SqlState::DUPLICATE_TABLE,
        SqlState::DUPLICATE_SCHEMA,
        SqlState::DUPLICATE_OBJECT,
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
    ];
    match error.code() {
        Some(code) if OTHERS.contains(code) => Failed::Raced,
        _ => Failed::Store(failed(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PostgresOptions;
    use crate::cluster::Cluster;

    const TO_TWO: &str = "CREATE TABLE homeport.two (x int)";
    const TO_THREE: &str =
        "ALTER TABLE homeport.two ADD COLUMN y int; INSERT INTO homeport.two VALUES (1, 2)";

    async fn database(cluster: &Cluster) -> Database {
        let name = cluster.database().await;
        let url = format!("postgres://homeport@127.0.0.1:{}/{name}", cluster.port());
        Database::new(&PostgresOptions::new(url.parse().unwrap(), [1; 16])).unwrap()
    }

    async fn format(database: &Database) -> i32 {
        let session = database.connected().await.unwrap();
        session.query_one(FOUND, &[]).await.unwrap().get(1)
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn an_older_store_is_upgraded_once_by_whoever_comes_first() {
        let Some(cluster) = Cluster::start() else { return };
        let database = database(&cluster).await;
        assert!(matches!(prepare(&database, true).await, Err(OpenError::Missing)));
        let session = database.connected().await.unwrap();
        let schemas = "SELECT 1 FROM information_schema.schemata WHERE schema_name = 'homeport'";
        assert!(session.query(schemas, &[]).await.unwrap().is_empty(), "it was changed");
        assert_eq!(prepare(&database, false).await.unwrap(), 0);
        assert_eq!(prepare(&database, true).await.unwrap(), 0);
        assert_eq!(format(&database).await, FORMAT);
        // Behind the steps that this program knows.
        let steps = |more: &[&'static str]| [STEPS, more].concat();
        let at_once = (0..8).map(|_| {
            let (database, steps) = (database.clone(), steps(&[TO_TWO, TO_THREE]));
            tokio::spawn(async move { prepare_by(&database, &steps).await.map(drop) })
        });
        for node in at_once.collect::<Vec<_>>() {
            node.await.unwrap().unwrap();
        }
        assert_eq!(format(&database).await, FORMAT + 2);
        let session = database.connected().await.unwrap();
        let rows = session.query("SELECT x, y FROM homeport.two", &[]).await.unwrap();
        assert_eq!(rows.len(), 1, "a step was taken twice, or not at all");
        let refused = prepare_by(&database, &steps(&[TO_TWO])).await;
        let (newer, older) = (number(FORMAT + 2), number(FORMAT + 1));
        assert!(
            matches!(refused, Err(OpenError::NewerFormat { found, known }) if found == newer && known == older)
        );
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_step_that_fails_leaves_the_store_as_it_was() {
        let Some(cluster) = Cluster::start() else { return };
        let database = database(&cluster).await;
        // A store begins with the first format.
        let failing = prepare_by(&database, &[TO_TWO, "SELECT 1 / 0"]).await;
        assert!(matches!(failing, Err(OpenError::Engine(_))));
        assert_eq!(format(&database).await, 1);
        prepare_by(&database, &[TO_TWO, TO_THREE]).await.unwrap();
        assert_eq!(format(&database).await, 3);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn settings_that_risk_what_was_acknowledged_are_found() {
        let Some(cluster) = Cluster::start() else { return };
        assert_eq!(risks(&database(&cluster).await).await, ["fsync"]);
    }
}
