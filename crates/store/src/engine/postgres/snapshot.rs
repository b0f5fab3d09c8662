//! What one transaction reads.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;
use deadpool_postgres::Object;
use tokio::sync::Mutex;
use tokio_postgres::Row as SqlRow;
use tokio_postgres::types::ToSql;

use super::connect::Database;
use super::{Away, failed};
use crate::range::Row;
use crate::{Direction, MAX_PAGE_BYTES, Page, Range, StoreError};

const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
const GET: &str = "SELECT c.last, r.value FROM homeport.clock c LEFT JOIN homeport.rows r ON r.key = $1";
const GET_MANY: &str =
    "SELECT c.last, r.key, r.value FROM homeport.clock c LEFT JOIN homeport.rows r ON r.key = ANY($1)";

/// A consistent view of the database. The first read is a statement of its own, which is one; only with a second one a
/// transaction of the database begins, and what the first one read is checked in it.
pub(crate) struct Snapshot {
    database: Database,
    version: AtomicU64,
    moved: AtomicBool,
    state: Mutex<State>,
}

enum State {
    /// Nothing was read. Steady: the transaction begins at once.
    Fresh {
        steady: bool,
    },
    /// One statement was run. A key's value can be checked again.
    Once {
        key: Option<(Bytes, Option<Bytes>)>,
    },
    Open(Object),
}

/// What is read, as SQL.
struct Question<'q> {
    sql: &'q str,
    parameters: &'q [&'q (dyn ToSql + Sync)],
}

impl Snapshot {
    pub(super) fn new(database: Database, steady: bool) -> Self {
        let state = Mutex::new(State::Fresh { steady });
        Self { database, version: AtomicU64::new(0), moved: AtomicBool::new(false), state }
    }

    /// Gives its connection back: nothing more is read. To be called before a commit is waited for.
    pub(crate) fn close(&self) {
        if let Ok(mut state) = self.state.try_lock()
            && let State::Open(client) = std::mem::replace(&mut *state, State::Fresh { steady: true })
        {
            end(client);
        }
    }

    /// The last commit it holds; 0 as long as nothing was read.
    pub(crate) fn version(&self) -> u64 {
        self.version.load(Ordering::Relaxed)
    }

    /// Whether what the first statement read had changed when the second came: the closure must run again.
    pub(crate) fn has_moved(&self) -> bool {
        self.moved.load(Ordering::Relaxed)
    }

    pub(crate) async fn get(&self, key: &Bytes) -> Result<Option<Bytes>, StoreError> {
        let key_bytes = key.as_ref();
        let mut state = self.state.lock().await;
        let rows = self.ask(&mut state, &Question { sql: GET, parameters: &[&key_bytes] }).await?;
        let value = value_of(&rows);
        if let State::Once { key: seen @ None } = &mut *state {
            *seen = Some((key.clone(), value.clone()));
        }
        Ok(value)
    }

    pub(crate) async fn get_many(&self, keys: Vec<Bytes>) -> Result<Vec<Option<Bytes>>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let wanted: Vec<&[u8]> = keys.iter().map(Bytes::as_ref).collect();
        let mut state = self.state.lock().await;
        let rows = self.ask(&mut state, &Question { sql: GET_MANY, parameters: &[&wanted] }).await?;
        let found: std::collections::HashMap<&[u8], &[u8]> =
            rows.iter().filter_map(|row| Some((row.get::<_, Option<&[u8]>>(1)?, row.get(2)))).collect();
        Ok(keys
            .iter()
            .map(|key| found.get(key.as_ref()).map(|value| Bytes::copy_from_slice(value)))
            .collect())
    }

    pub(crate) async fn scan(
        &self,
        range: Range,
        direction: Direction,
        limit: usize,
    ) -> Result<Page, StoreError> {
        let (from, to) = (range.from.as_ref(), range.to.as_ref());
        let (one_more, most) = (limit as i64 + 1, MAX_PAGE_BYTES as i64);
        let mut state = self.state.lock().await;
        let question = Question { sql: scan_sql(direction), parameters: &[&from, &to, &one_more, &most] };
        let rows = self.ask(&mut state, &question).await?;
        Ok(page(&rows, direction, limit))
    }

    async fn ask(&self, state: &mut State, question: &Question<'_>) -> Result<Vec<SqlRow>, StoreError> {
        match state {
            State::Open(client) => question.rows(client).await,
            State::Fresh { steady: false } => {
                let client = self.database.reader().await?;
                let rows = question.rows(&client).await?;
                self.version.store(version_of(&rows)?, Ordering::Relaxed);
                *state = State::Once { key: None };
                Ok(rows)
            }
            State::Fresh { steady: true } => {
                let client = self.database.reader().await?;
                let (begun, rows) = tokio::join!(client.batch_execute(BEGIN), question.rows(&client));
                begun.map_err(failed)?;
                let rows = rows?;
                self.version.store(version_of(&rows)?, Ordering::Relaxed);
                *state = State::Open(client);
                Ok(rows)
            }
            State::Once { key } => {
                let key = key.take();
                let (client, rows) = self.go_on(key, question).await?;
                *state = State::Open(client);
                Ok(rows)
            }
        }
    }

    /// Begins the transaction behind a statement that was run alone.
    async fn go_on(
        &self,
        seen: Option<(Bytes, Option<Bytes>)>,
        question: &Question<'_>,
    ) -> Result<(Object, Vec<SqlRow>), StoreError> {
        let client = self.database.reader().await?;
        let key = seen.as_ref().map_or(&[][..], |(key, _)| key.as_ref());
        let parameters: [&(dyn ToSql + Sync); 1] = [&key];
        let again = Question { sql: GET, parameters: &parameters };
        let (begun, again, rows) =
            tokio::join!(client.batch_execute(BEGIN), again.rows(&client), question.rows(&client));
        begun.map_err(failed)?;
        let (again, rows) = (again?, rows?);
        let version = version_of(&rows)?;
        let same = |(_, before): (Bytes, Option<Bytes>)| before == value_of(&again);
        if version != self.version() && !seen.is_some_and(same) {
            self.moved.store(true, Ordering::Relaxed);
            end(client);
            return Err(StoreError::Conflict);
        }
        self.version.store(version, Ordering::Relaxed);
        Ok((client, rows))
    }
}

impl Question<'_> {
    async fn rows(&self, client: &Object) -> Result<Vec<SqlRow>, StoreError> {
        let statement = client.prepare_cached(self.sql).await.map_err(failed)?;
        client.query(&statement, self.parameters).await.map_err(failed)
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        self.close();
    }
}

/// Ends the transaction beside the call; the connection goes back to the others then.
fn end(client: Object) {
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) => {
            runtime.spawn(async move {
                if client.batch_execute("COMMIT").await.is_err() {
                    drop(Object::take(client));
                }
            });
        }
        // Without a runtime nobody waits for it: the connection ends, and the transaction with it.
        Err(_) => drop(Object::take(client)),
    }
}

fn version_of(rows: &[SqlRow]) -> Result<u64, StoreError> {
    let row = rows.first().ok_or_else(|| failed(Away::NoClock))?;
    Ok(row.get::<_, i64>(0).unsigned_abs())
}

fn value_of(rows: &[SqlRow]) -> Option<Bytes> {
    rows.first().and_then(|row| row.get::<_, Option<&[u8]>>(1)).map(Bytes::copy_from_slice)
}

/// A page ends with the row that takes it past its bytes. The row behind that comes without its value: there is more.
fn scan_sql(direction: Direction) -> &'static str {
    macro_rules! scan {
        ($order:literal) => {
            concat!(
                "SELECT c.last, r.key, r.value FROM homeport.clock c LEFT JOIN LATERAL (
                   SELECT key, CASE WHEN coalesce(before, 0) < $4 THEN value END AS value FROM (
                     SELECT key, value,
                       sum(octet_length(key) + octet_length(value)) OVER
                         (ORDER BY key",
                $order,
                " ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before,
                       sum(octet_length(key) + octet_length(value)) OVER
                         (ORDER BY key",
                $order,
                " ROWS BETWEEN UNBOUNDED PRECEDING AND 2 PRECEDING) AS earlier
                     FROM homeport.rows WHERE key >= $1 AND key < $2 ORDER BY key",
                $order,
                " LIMIT $3) page
                   WHERE coalesce(earlier, 0) < $4) r ON true"
            )
        };
    }
    match direction {
        Direction::Forward => scan!(""),
        Direction::Backward => scan!(" DESC"),
    }
}

fn page(rows: &[SqlRow], direction: Direction, limit: usize) -> Page {
    let found = rows.iter().filter_map(|row| {
        let key = row.get::<_, Option<&[u8]>>(1)?;
        Some((key, row.get::<_, Option<&[u8]>>(2)))
    });
    let mut found: Vec<_> = found.collect();
    found.sort_unstable_by(|one, other| match direction {
        Direction::Forward => one.0.cmp(other.0),
        Direction::Backward => other.0.cmp(one.0),
    });
    let more = found.len() > limit || found.last().is_some_and(|(_, value)| value.is_none());
    let rows = found.into_iter().take(limit).filter_map(|(key, value)| {
        Some(Row { key: Bytes::copy_from_slice(key), value: Bytes::copy_from_slice(value?) })
    });
    Page { rows: rows.collect(), more }
}
