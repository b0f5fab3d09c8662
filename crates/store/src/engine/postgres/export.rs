//! A snapshot that is read for as long as it takes.

use bytes::Bytes;
use tokio_postgres::Statement;

use super::connect::{Database, Session};
use super::trouble::failed;
use crate::range::Row;
use crate::{MAX_PAGE_BYTES, Page, Range, StoreError};

/// What holds for all other sessions would end this one in the midst.
const UNBOUND: &str = "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0";
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
const LAST: &str = "SELECT last FROM homeport.clock";
const COUNT: &str = "SELECT count(*) FROM homeport.rows";
/// Rows up to the one that passes so many bytes.
const ROWS: &str = "SELECT key, value FROM (
      SELECT key, value, sum(octet_length(key) + octet_length(value)) OVER
        (ORDER BY key ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
      FROM (SELECT key, value FROM homeport.rows WHERE key >= $1 AND key < $2 ORDER BY key LIMIT $3) next) page
    WHERE coalesce(before, 0) < $4 ORDER BY key";
/// Every process names its sessions by its number.
const OTHERS: &str = "SELECT count(DISTINCT application_name) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE 'homeport %'
    AND application_name <> current_setting('application_name')";

pub(crate) struct Export {
    session: Session,
    rows: Statement,
    last: u64,
}

impl Export {
    pub(super) async fn begin(database: &Database) -> Result<Self, StoreError> {
        let session = database.connected().await?;
        session.batch_execute(UNBOUND).await.map_err(failed)?;
        session.batch_execute(BEGIN).await.map_err(failed)?;
        let last = session.query_one(LAST, &[]).await.map_err(failed)?.get::<_, i64>(0).unsigned_abs();
        let rows = session.prepare(ROWS).await.map_err(failed)?;
        Ok(Self { session, rows, last })
    }

    pub(crate) fn version(&self) -> u64 {
        self.last
    }

    pub(crate) async fn count(&self) -> Result<u64, StoreError> {
        let count = self.session.query_one(COUNT, &[]).await.map_err(failed)?;
        Ok(count.get::<_, i64>(0).unsigned_abs())
    }

    /// The next rows of a range; whether more follow is known by asking.
    pub(crate) async fn rows(&self, range: Range, limit: usize) -> Result<Page, StoreError> {
        let (from, to) = (range.from.as_ref(), range.to.as_ref());
        let (limit, most) = (limit as i64, MAX_PAGE_BYTES as i64);
        let found = self.session.query(&self.rows, &[&from, &to, &limit, &most]).await.map_err(failed)?;
        let bytes = |row: &tokio_postgres::Row, column| Bytes::copy_from_slice(row.get::<_, &[u8]>(column));
        let rows: Vec<_> = found.iter().map(|row| Row { key: bytes(row, 0), value: bytes(row, 1) }).collect();
        Ok(Page { more: !rows.is_empty(), rows })
    }
}

/// How many other processes have sessions.
pub(super) async fn other_nodes(database: &Database) -> Result<usize, StoreError> {
    let count = database.reader().await?.query_one(OTHERS, &[]).await.map_err(failed)?.get::<_, i64>(0);
    Ok(usize::try_from(count).unwrap_or(0))
}
