//! What went wrong with the database, and whether it is worth another try.

use std::error::Error as _;
use std::fmt::Display;
use std::io;
use std::sync::Arc;

use tokio_postgres::Error;
use tokio_postgres::error::{DbError, SqlState};

use crate::StoreError;

/// The database does not serve at the moment.
pub(super) fn away(why: impl Display) -> StoreError {
    StoreError::Away(why.to_string().into())
}

/// The engine's own part failed.
pub(super) fn broken(error: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Engine(Arc::new(error))
}

/// What the database's error, or the connection's, means to a caller.
pub(super) fn failed(error: Error) -> StoreError {
    let cut_off = || error.is_closed() || error.source().is_some_and(|source| source.is::<io::Error>());
    match error.as_db_error() {
        Some(db) if is_unavailable(db.code()) => away(said(&error)),
        None if cut_off() => away(said(&error)),
        _ => broken(error),
    }
}

/// Connection trouble, too few resources, intervention of an operator (a statement that took too long among them), system
/// errors; a session that was ended in its transaction, and a server that takes writes no more.
fn is_unavailable(code: &SqlState) -> bool {
    matches!(code.code().get(..2), Some("08" | "53" | "57" | "58"))
        || [SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT, SqlState::READ_ONLY_SQL_TRANSACTION].contains(code)
}

/// How the driver says it of a host.
const TAKES_NO_WRITES: &str = "does not allow writes";

/// The whole error in words; nothing of the connection's parameters is in it.
pub(super) fn said(error: &Error) -> String {
    if let Some(db) = error.as_db_error() {
        return format!("{}: {} ({})", db.severity(), db.message(), db.code().code());
    }
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    let text = error.to_string();
    if cause.contains(TAKES_NO_WRITES) {
        return "it takes no writes: it is a standby, or default_transaction_read_only is set".to_owned();
    }
    if text.ends_with(&cause) { text } else { text + &cause }
}

/// None where the database doesn't know what was asked: not all that speak the protocol have notifications, or each of
/// PostgreSQL's settings.
pub(super) async fn if_supported<T>(
    asked: impl Future<Output = Result<T, Error>>,
) -> Result<Option<T>, Error> {
    const UNKNOWN: [SqlState; 4] = [
        SqlState::UNDEFINED_FUNCTION,
        SqlState::UNDEFINED_OBJECT,
        SqlState::SYNTAX_ERROR,
        SqlState::FEATURE_NOT_SUPPORTED,
    ];
    match asked.await {
        Err(error) if error.code().is_some_and(|code| UNKNOWN.contains(code)) => Ok(None),
        answer => answer.map(Some),
    }
}

/// A transaction of another session is in the way: it is worth another try.
pub(super) fn is_of_others(error: &StoreError) -> bool {
    const OTHERS: [SqlState; 3] =
        [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED, SqlState::LOCK_NOT_AVAILABLE];
    let StoreError::Engine(error) = error else { return false };
    let code = error.downcast_ref::<Error>().and_then(Error::code);
    code.is_some_and(|code| OTHERS.contains(code))
}

/// An error after which the session lives, or lived long enough to refuse: classes 57 and 58 are of one that was ended,
/// which may have happened behind its commit.
pub(super) fn is_refusal(error: &DbError) -> bool {
    let class = error.code().code().get(..2);
    !matches!(class, Some("57" | "58" | "XX" | "08"))
}
