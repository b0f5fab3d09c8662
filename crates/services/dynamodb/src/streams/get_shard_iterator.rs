use homeport_core::Timestamp;
use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use homeport_store::{Direction, KeyParts, Part, Range, Row, Tx, Versionstamp};
use serde::{Deserialize, Serialize};

use super::iterator::{Position, ShardIterator};
use super::sequence::{before, stamp_of};
use super::stream_name::StreamName;
use crate::DynamoDb;
use crate::error::{DynamoError, Invalid};
use crate::records::{Change, StreamRecord, stream_records};
use crate::worker::KEPT_SECONDS;

/// `GetShardIterator` (API reference): where to begin to read.
pub(crate) struct GetShardIterator;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    stream_arn: String,
    shard_id: String,
    shard_iterator_type: String,
    sequence_number: Option<String>,
    timestamp: Option<f64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    shard_iterator: String,
}

/// The stamp of a stream's row.
pub(super) fn stamp_of_row(row: &Row) -> Option<Versionstamp> {
    match KeyParts::decode(&row.key)?.pop()? {
        Part::Stamp(stamp) => Some(stamp),
        _ => None,
    }
}

/// Where the type of iterator that is asked for stands.
async fn position(
    tx: &Tx,
    stream: &StreamRecord,
    input: &Input,
    now: Timestamp,
) -> Result<Position, DynamoError> {
    let rows = Range::prefix(&stream_records(&stream.id));
    match input.shard_iterator_type.as_str() {
        "TRIM_HORIZON" | "LATEST" if input.sequence_number.is_some() => {
            let said = "ShardIteratorType TRIM_HORIZON and LATEST require SequenceNumber not to be specified";
            Err(Invalid::Table(said.to_owned()).into())
        }
        "TRIM_HORIZON" => Ok(Position::Start),
        "LATEST" => {
            let last = tx.scan(rows, Direction::Backward, 1).await?;
            let stamp = last.rows.first().and_then(stamp_of_row);
            Ok(stamp.map_or(Position::Start, Position::After))
        }
        "AT_TIMESTAMP" => {
            let said = "ShardIteratorType AT_TIMESTAMP requires Timestamp to be specified";
            let since = input.timestamp.ok_or_else(|| Invalid::Table(said.to_owned()))?;
            since_position(tx, stream, Timestamp::from_millis((since * 1_000.0) as i64)).await
        }
        kind => {
            let number = input.sequence_number.as_deref().ok_or_else(|| {
                let said = "ShardIteratorType AT_SEQUENCE_NUMBER and AFTER_SEQUENCE_NUMBER require SequenceNumber to be specified";
                Invalid::Table(said.to_owned())
            })?;
            let stamp = stamp_of(number)
                .ok_or_else(|| Invalid::Table(format!("Invalid SequenceNumber: {number}")))?;
            check_kept(tx, rows, stamp, now).await?;
            let last_read = if kind == "AT_SEQUENCE_NUMBER" { before(stamp) } else { Some(stamp) };
            Ok(last_read.map_or(Position::Start, Position::After))
        }
    }
}

/// Before the first record written at this time or later. Records lie in the order of their commits, which is that of
/// their times but for the moments that calls take; so the place is found by halving.
async fn since_position(tx: &Tx, stream: &StreamRecord, since: Timestamp) -> Result<Position, DynamoError> {
    let root = stream_records(&stream.id);
    let rows = Range::prefix(&root);
    let last = tx.scan(rows.clone(), Direction::Backward, 1).await?;
    let Some(last) = last.rows.first().and_then(stamp_of_row) else { return Ok(Position::Start) };
    // All records of commits below `low` are older, the first behind `high` is not.
    let (mut low, mut high) = (0, last.commit().saturating_add(1));
    while low < high {
        let middle = low + (high - low) / 2;
        let from = root.clone().stamp(commit_end(middle));
        let found = tx.scan(rows.clone().after(from.as_bytes()), Direction::Forward, 1).await?;
        let is_older = match found.rows.first() {
            Some(row) => Change::decode(&row.value)?.at < since,
            None => false,
        };
        if is_older {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(Position::After(commit_end(low)))
}

/// Behind all records of this commit.
fn commit_end(commit: u64) -> Versionstamp {
    let [a, b, c, d, e, f, g, h] = commit.to_be_bytes();
    Versionstamp::from_bytes([a, b, c, d, e, f, g, h, 0xff, 0xff])
}

/// Refuses a number before the oldest record that is kept, unless nothing was ever before it.
async fn check_kept(tx: &Tx, rows: Range, stamp: Versionstamp, now: Timestamp) -> Result<(), DynamoError> {
    if stamp == Versionstamp::default() {
        return Ok(());
    }
    let found = tx.scan(rows, Direction::Forward, 1).await?;
    let Some(oldest) = found.rows.first() else { return Ok(()) };
    let is_over = |row: &Row| -> Result<bool, DynamoError> {
        Ok(Change::decode(&row.value)?.at < now.plus_seconds(-KEPT_SECONDS))
    };
    let before_oldest = stamp_of_row(oldest).is_some_and(|oldest| stamp < oldest);
    if before_oldest || (stamp_of_row(oldest) == Some(stamp) && is_over(oldest)?) {
        return Err(DynamoError::Trimmed);
    }
    Ok(())
}

impl Operation for GetShardIterator {
    type Service = DynamoDb;
    type Input = Input;
    type Output = Output;
    type Error = DynamoError;

    const NAME: &'static str = "GetShardIterator";
    const EFFECT: Effect = Effect::ReadsData;

    fn permissions(_: &Asked<'_, DynamoDb>, input: &Input) -> Permissions {
        Permissions::one("dynamodb:GetShardIterator", &input.stream_arn)
    }

    async fn run(cx: Cx<DynamoDb>, input: Input) -> Result<Output, DynamoError> {
        let named = &StreamName::parse(&input.stream_arn)?;
        let (cx, input) = (&cx, &input);
        cx.read(|tx| async move {
            let stream = named.find(&tx, cx.scope()).await?;
            if stream.shard_id() != input.shard_id {
                let said = format!("Shard: {} in Stream: {} not found", input.shard_id, input.stream_arn);
                return Err(DynamoError::NoStream(said));
            }
            let position = position(&tx, &stream, input, cx.now()).await?;
            let iterator = ShardIterator { stream_arn: stream.arn(), position, handed_out: cx.now() };
            Ok(Output { shard_iterator: iterator.text() })
        })
        .await
    }
}
