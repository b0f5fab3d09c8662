//! DynamoDB Streams: what was written to a table, in order, for a day (API reference, "Amazon DynamoDB Streams").
//!
//! A stream has one shard, from its beginning to its end. A record's sequence number is the versionstamp of the
//! transaction that wrote it, so that no record ever appears before one that was read.

use std::collections::BTreeMap;

use homeport_core::Timestamp;
use homeport_service::{Entry, by_hand, modelled};
use homeport_store::{KeyParts, Tx};

use crate::DynamoDb;
use crate::error::{DynamoError, Invalid};
use crate::records::{STREAMS, StreamRecord, TABLES, tables_of};
use crate::request::Violations;
use crate::table::{StreamSetting, StreamView, Table};

mod describe_stream;
mod get_records;
mod get_shard_iterator;
mod iterator;
mod list_streams;
mod sequence;
mod stream_name;

/// All operations.
pub(crate) static OPERATIONS: &[Entry<DynamoDb>] = &[
    modelled::<describe_stream::DescribeStream>(),
    by_hand::<get_records::GetRecords>(),
    modelled::<get_shard_iterator::GetShardIterator>(),
    modelled::<list_streams::ListStreams>(),
];

/// The most streams or shards in one answer.
const MAX_LISTED: usize = 100;

/// Refuses to list more than AWS does.
fn check_limit(limit: Option<usize>) -> Result<(), Invalid> {
    let mut violations = Violations::default();
    let limit = limit.unwrap_or(MAX_LISTED);
    let constraint = "Member must have value less than or equal to 100";
    violations.check(limit <= MAX_LISTED, || format!("'{limit}'"), "limit", constraint);
    violations.finish()
}

/// Gives the table a stream. `id` is fresh.
pub(crate) async fn begin_stream(
    tx: &Tx,
    table: &mut Table,
    view: StreamView,
    id: String,
    now: Timestamp,
) -> Result<(), DynamoError> {
    let label = label_of(now);
    table.stream = Some(StreamSetting { id: id.clone(), label: label.clone(), view });
    let stream = StreamRecord {
        account: table.account,
        region: table.region.clone(),
        table: table.name.clone(),
        label,
        id,
        view,
        schema: table.schema.clone(),
        created: now,
        ended: None,
        tags: BTreeMap::new(),
    };
    Ok(STREAMS.put(tx, &stream).await?)
}

/// Ends the table's stream, if it has one. It can be read for a day.
pub(crate) async fn end_stream(tx: &Tx, table: &Table, now: Timestamp) -> Result<(), DynamoError> {
    let Some(stream) = &table.stream else { return Ok(()) };
    let key =
        KeyParts::from((table.account.number(), table.region.as_str())).str(&table.name).str(&stream.label);
    if let Some(mut record) = STREAMS.get(tx, key).await? {
        record.ended = Some(now);
        STREAMS.put(tx, &record).await?;
    }
    Ok(())
}

/// `2026-11-21T01:02:03.004`
fn label_of(now: Timestamp) -> String {
    let text = now.rfc3339();
    let whole = text.trim_end_matches('Z');
    let (seconds, fraction) = whole.split_once('.').unwrap_or((whole, ""));
    format!("{seconds}.{fraction:0<3.3}")
}

/// Whether the stream takes records still.
async fn is_enabled(tx: &Tx, stream: &StreamRecord) -> Result<bool, DynamoError> {
    let scope = homeport_core::Scope { account: stream.account, region: stream.region.clone() };
    let table = TABLES.get(tx, tables_of(&scope).str(&stream.table)).await?;
    Ok(table.and_then(|table| table.stream).is_some_and(|current| current.id == stream.id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_has_three_digits_of_a_second() {
        for (millis, label) in [(0, "1970-01-01T00:00:00.000"), (1_010, "1970-01-01T00:00:01.010")] {
            assert_eq!(label_of(Timestamp::from_millis(millis)), label);
        }
    }
}
