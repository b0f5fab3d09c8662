//! Finding groups and streams in a transaction.

use homeport_core::Scope;
use homeport_store::Tx;

use crate::LogsError;
use crate::records::{GROUPS, Group, STREAMS, Stream, group_key, stream_key};

pub(crate) async fn group(tx: &Tx, scope: &Scope, name: &str) -> Result<Group, LogsError> {
    GROUPS.get(tx, group_key(scope, name)).await?.ok_or(LogsError::NoSuchGroup)
}

pub(crate) async fn stream(tx: &Tx, group: &Group, name: &str) -> Result<Stream, LogsError> {
    STREAMS.get(tx, stream_key(&group.id, name)).await?.ok_or(LogsError::NoSuchStream)
}
