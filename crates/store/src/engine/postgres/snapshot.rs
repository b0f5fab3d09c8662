//! What one transaction reads.

use std::ops::Deref;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_postgres::Row as SqlRow;
use tokio_postgres::types::ToSql;

use super::connect::Database;
use super::readers::{Asked, Prepared, Reader};
use super::trouble::broken;
use super::{NoClock, schema};
use crate::range::Row;
use crate::{Direction, MAX_PAGE_BYTES, Page, Range, StoreError};

/// How long the end of a transaction is waited for before its connection is given up.
const END_WITHIN: Duration = Duration::from_secs(6);
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
pub(super) const GET: &str =
    "SELECT c.last, c.format, r.value FROM homeport.clock c LEFT JOIN homeport.rows r ON r.key = $1";
pub(super) const GET_MANY: &str = "SELECT c.last, c.format, r.key, r.value
    FROM homeport.clock c LEFT JOIN homeport.rows r ON r.key = ANY($1)";

/// A page ends with the row that takes it past its bytes. The row behind that comes without its value: there is more.
pub(super) const FORWARD: &str =
    "SELECT c.last, c.format, r.key, r.value FROM homeport.clock c LEFT JOIN LATERAL (
       SELECT key, CASE WHEN coalesce(before, 0) < $4 THEN value END AS value FROM (
         SELECT key, value,
           sum(octet_length(key) + octet_length(value)) OVER
             (ORDER BY key ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before,
           sum(octet_length(key) + octet_length(value)) OVER
             (ORDER BY key ROWS BETWEEN UNBOUNDED PRECEDING AND 2 PRECEDING) AS earlier
         FROM homeport.rows WHERE key >= $1 AND key < $2 ORDER BY key LIMIT $3) page
       WHERE coalesce(earlier, 0) < $4) r ON true";
/// The same from the other end.
pub(super) const BACKWARD: &str =
    "SELECT c.last, c.format, r.key, r.value FROM homeport.clock c LEFT JOIN LATERAL (
       SELECT key, CASE WHEN coalesce(before, 0) < $4 THEN value END AS value FROM (
         SELECT key, value,
           sum(octet_length(key) + octet_length(value)) OVER
             (ORDER BY key DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before,
           sum(octet_length(key) + octet_length(value)) OVER
             (ORDER BY key DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 2 PRECEDING) AS earlier
         FROM homeport.rows WHERE key >= $1 AND key < $2 ORDER BY key DESC LIMIT $3) page
       WHERE coalesce(earlier, 0) < $4) r ON true";

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
    Open(Open),
}

type Asking<'a> = Pin<Box<dyn Future<Output = Result<Vec<SqlRow>, StoreError>> + Send + 'a>>;

/// What is read.
struct Question<'q> {
    asked: Asked,
    parameters: &'q [&'q (dyn ToSql + Sync)],
}

impl Snapshot {
    pub(super) fn new(database: Database, steady: bool) -> Self {
        let state = Mutex::new(State::Fresh { steady });
        Self { database, version: AtomicU64::new(0), moved: AtomicBool::new(false), state }
    }

    /// Gives its connection back: nothing more is read. To be called before a commit is waited for.
    pub(crate) fn close(&self) {
        if let Ok(mut state) = self.state.try_lock() {
            *state = State::Fresh { steady: true };
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
        let rows = self.ask(&mut state, &Question { asked: Asked::Get, parameters: &[&key_bytes] }).await?;
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
        let rows = self.ask(&mut state, &Question { asked: Asked::GetMany, parameters: &[&wanted] }).await?;
        let found: std::collections::HashMap<&[u8], &[u8]> =
            rows.iter().filter_map(|row| Some((row.get::<_, Option<&[u8]>>(2)?, row.get(3)))).collect();
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
        let question =
            Question { asked: Asked::Scan(direction), parameters: &[&from, &to, &one_more, &most] };
        let rows = self.ask(&mut state, &question).await?;
        Ok(page(&rows, direction, limit))
    }

    /// Boxed: the compiler doesn't have to look through it in each of the futures that transactions are nested in.
    fn ask<'a>(&'a self, state: &'a mut State, question: &'a Question<'a>) -> Asking<'a> {
        Box::pin(async { self.database.note(self.put(state, question).await) })
    }

    async fn put(&self, state: &mut State, question: &Question<'_>) -> Result<Vec<SqlRow>, StoreError> {
        match state {
            State::Open(open) => self.database.answer(open, question.put_to(open)).await,
            State::Fresh { steady: false } if matches!(question.asked, Asked::Get) => {
                let place = self.database.place().await?;
                let rows = self.database.answer(&place, question.put_to(&place)).await?;
                self.version.store(version_of(&rows)?, Ordering::Relaxed);
                *state = State::Once { key: None };
                Ok(rows)
            }
            State::Fresh { steady: false } => {
                let reader = self.database.reader().await?;
                let rows = match self.database.answer(&reader, question.put_to(&reader)).await {
                    Ok(rows) => rows,
                    Err(error) => {
                        drop(Reader::take(reader));
                        return Err(error);
                    }
                };
                self.version.store(version_of(&rows)?, Ordering::Relaxed);
                *state = State::Once { key: None };
                Ok(rows)
            }
            State::Fresh { steady: true } => {
                let open = Open::around(self.database.reader().await?);
                let asked = async { tokio::try_join!(open.batch_execute(BEGIN), question.put_to(&open)) };
                let ((), rows) = self.database.answer(&open, asked).await?;
                self.version.store(version_of(&rows)?, Ordering::Relaxed);
                *state = State::Open(open);
                Ok(rows)
            }
            State::Once { key } => {
                let key = key.take();
                let (open, rows) = self.go_on(key, question).await?;
                *state = State::Open(open);
                Ok(rows)
            }
        }
    }

    /// Begins the transaction behind a statement that was run alone.
    async fn go_on(
        &self,
        seen: Option<(Bytes, Option<Bytes>)>,
        question: &Question<'_>,
    ) -> Result<(Open, Vec<SqlRow>), StoreError> {
        let open = Open::around(self.database.reader().await?);
        let key = seen.as_ref().map_or(&[][..], |(key, _)| key.as_ref());
        let parameters: [&(dyn ToSql + Sync); 1] = [&key];
        let again = Question { asked: Asked::Get, parameters: &parameters };
        let asked = async {
            tokio::try_join!(open.batch_execute(BEGIN), again.put_to(&open), question.put_to(&open))
        };
        let ((), again, rows) = self.database.answer(&open, asked).await?;
        let version = version_of(&rows)?;
        let same = |(_, before): (Bytes, Option<Bytes>)| before == value_of(&again);
        if version != self.version() && !seen.is_some_and(same) {
            self.moved.store(true, Ordering::Relaxed);
            return Err(StoreError::Conflict);
        }
        self.version.store(version, Ordering::Relaxed);
        Ok((open, rows))
    }
}

impl Question<'_> {
    async fn put_to(&self, reader: &Prepared) -> Result<Vec<SqlRow>, tokio_postgres::Error> {
        reader.query(reader.statement(self.asked), self.parameters).await
    }
}

/// A reader in which a transaction was begun, or may have been. However this is dropped, no other reads in it.
struct Open(Option<Reader>);

impl Open {
    fn around(reader: Reader) -> Self {
        Self(Some(reader))
    }
}

impl Deref for Open {
    type Target = Reader;

    #[expect(clippy::expect_used, reason = "it is only taken when this is dropped")]
    fn deref(&self) -> &Reader {
        self.0.as_ref().expect("it is there until this is dropped")
    }
}

impl Drop for Open {
    /// Ends the transaction beside the call; the connection goes back to the others then.
    fn drop(&mut self) {
        let Some(reader) = self.0.take() else { return };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn(async move {
                if !matches!(timeout(END_WITHIN, reader.batch_execute("COMMIT")).await, Ok(Ok(()))) {
                    drop(Reader::take(reader));
                }
            })),
            // Without a runtime nobody waits for it: the connection ends, and the transaction with it.
            Err(_) => drop(Reader::take(reader)),
        }
    }
}

fn version_of(rows: &[SqlRow]) -> Result<u64, StoreError> {
    let row = rows.first().ok_or_else(|| broken(NoClock))?;
    schema::check(row.get(1))?;
    Ok(row.get::<_, i64>(0).unsigned_abs())
}

fn value_of(rows: &[SqlRow]) -> Option<Bytes> {
    rows.first().and_then(|row| row.get::<_, Option<&[u8]>>(2)).map(Bytes::copy_from_slice)
}

fn page(rows: &[SqlRow], direction: Direction, limit: usize) -> Page {
    let found = rows.iter().filter_map(|row| {
        let key = row.get::<_, Option<&[u8]>>(2)?;
        Some((key, row.get::<_, Option<&[u8]>>(3)))
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
