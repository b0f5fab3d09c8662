//! The tables, made by whichever node comes first.

use tokio_postgres::error::SqlState;

use super::NoClock;
use super::connect::Database;
use super::trouble::failed;
use crate::{OpenError, StoreError};

/// The format of the tables.
const FORMAT: i32 = 1;
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

/// Makes the tables where they are missing; the number of the last commit.
pub(super) async fn prepare(database: &Database) -> Result<u64, OpenError> {
    let mut attempt = 0;
    loop {
        match try_to_prepare(database).await {
            Ok((last, FORMAT)) => return Ok(last),
            Ok((_, format)) if format > FORMAT => {
                let found = u32::try_from(format).unwrap_or(u32::MAX);
                return Err(OpenError::NewerFormat { found, known: FORMAT.unsigned_abs() });
            }
            Ok(_) => return Err(OpenError::NotAStore),
            Err(Failed::Raced) if attempt < ATTEMPTS => attempt += 1,
            Err(Failed::Raced) => return Err(OpenError::Engine(Box::new(NoClock))),
            Err(Failed::Store(StoreError::Away(why))) => return Err(OpenError::Away(why)),
            Err(Failed::Store(error)) => return Err(OpenError::Engine(Box::new(error))),
        }
    }
}

enum Failed {
    Raced,
    Store(StoreError),
}

async fn try_to_prepare(database: &Database) -> Result<(u64, i32), Failed> {
    let client = database.connected().await.map_err(Failed::Store)?;
    let found = match client.query_opt(FOUND, &[]).await {
        Ok(found) => found,
        Err(error) if is_missing(&error) => None,
        Err(error) => return Err(Failed::Store(failed(error))),
    };
    let row = match found {
        Some(row) => row,
        None => {
            client.batch_execute(TABLES).await.map_err(raced)?;
            client.query_one(FOUND, &[]).await.map_err(raced)?
        }
    };
    Ok((row.get::<_, i64>(0).unsigned_abs(), row.get(1)))
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
