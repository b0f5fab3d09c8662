use aws_lc_rs::digest;
use homeport_core::{Fault, Timestamp};
use homeport_service::{Answer, Asked, ByHand, Call, Cx, Effect, Operation, Permissions};
use homeport_store::{Direction, Range, Row, Tx, Versionstamp};
use serde::Deserialize;

use super::get_shard_iterator::stamp_of_row;
use super::is_enabled;
use super::iterator::{Position, ShardIterator};
use super::sequence::number_of;
use super::stream_name::StreamName;
use crate::DynamoDb;
use crate::capacity::Answering;
use crate::error::{DynamoError, Invalid};
use crate::records::{Change, StreamRecord, stream_records};
use crate::request::{Violations, body};
use crate::value::{write_item, write_string};
use crate::worker::KEPT_SECONDS;

/// The most records of one answer.
const MAX_RECORDS: usize = 1_000;
/// An answer ends with the record that passes this many bytes.
const MAX_BYTES: usize = 1 << 20;

/// `GetRecords` (API reference): the records behind an iterator, and the iterator behind them.
pub(crate) struct GetRecords;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    shard_iterator: Option<String>,
    limit: Option<i64>,
}

pub(crate) struct Input {
    iterator: ShardIterator,
    limit: usize,
}

fn decode(call: &Call) -> Result<Input, DynamoError> {
    let body: Body = body(call)?;
    let mut violations = Violations::default();
    violations.require(body.shard_iterator.as_ref(), "shardIterator");
    let limit = body.limit.unwrap_or(MAX_RECORDS as i64);
    let at_least = "Member must have value greater than or equal to 1";
    violations.check(limit >= 1, || format!("'{limit}'"), "limit", at_least);
    violations.finish()?;
    if limit > MAX_RECORDS as i64 {
        return Err(Invalid::Parameter(format!("Limit must be less than or equal to {MAX_RECORDS}")).into());
    }
    let iterator = ShardIterator::parse(&body.shard_iterator.unwrap_or_default())?;
    Ok(Input { iterator, limit: usize::try_from(limit).unwrap_or(MAX_RECORDS) })
}

/// What was found behind the iterator.
struct Found {
    records: Vec<(Versionstamp, Change)>,
    /// Where the next reader begins; none at the end of a stream that takes no more.
    next: Option<Position>,
}

async fn read(tx: &Tx, stream: &StreamRecord, input: &Input, now: Timestamp) -> Result<Found, DynamoError> {
    let root = stream_records(&stream.id);
    let mut range = Range::prefix(&root);
    let mut position = input.iterator.position;
    range = match position {
        Position::Start => range,
        Position::After(stamp) => range.after(root.stamp(stamp).as_bytes()),
    };
    let horizon = now.plus_seconds(-KEPT_SECONDS);
    let (mut records, mut bytes) = (Vec::new(), 0);
    loop {
        let page = tx.scan(range.clone(), Direction::Forward, input.limit - records.len()).await?;
        for row in &page.rows {
            let (stamp, change) = record(row)?;
            position = Position::After(stamp);
            if change.at < horizon {
                continue;
            }
            bytes += change.size();
            records.push((stamp, change));
            if bytes >= MAX_BYTES {
                return Ok(Found { records, next: Some(position) });
            }
        }
        let Some(last) = page.rows.last().filter(|_| page.more) else { break };
        if records.len() == input.limit {
            return Ok(Found { records, next: Some(position) });
        }
        range = range.after(&last.key);
    }
    let goes_on = is_enabled(tx, stream).await?;
    Ok(Found { records, next: goes_on.then_some(position) })
}

fn record(row: &Row) -> Result<(Versionstamp, Change), DynamoError> {
    let stamp = stamp_of_row(row).ok_or(crate::value::Corrupt)?;
    Ok((stamp, Change::decode(&row.value)?))
}

/// The same for the same record, whoever reads it.
fn event_id(stream: &StreamRecord, stamp: Versionstamp) -> String {
    let mut named = stream.id.clone().into_bytes();
    named.extend_from_slice(&stamp.to_bytes());
    hex::encode(&digest::digest(&digest::SHA256, &named).as_ref()[..16])
}

fn write_record(stream: &StreamRecord, stamp: Versionstamp, change: &Change, out: &mut Vec<u8>) {
    let mut record = Answering::new();
    let text = |text: &str, out: &mut Vec<u8>| write_string(text, out);
    record.member("eventID", |out| text(&event_id(stream, stamp), out));
    record.member("eventName", |out| text(change.event_name(), out));
    record.member("eventVersion", |out| text("1.1", out));
    record.member("eventSource", |out| text("aws:dynamodb", out));
    record.member("awsRegion", |out| text(stream.region.as_str(), out));
    record.member("dynamodb", |out| {
        let mut told = Answering::new();
        told.member("ApproximateCreationDateTime", |out| {
            out.extend_from_slice(change.at.seconds().to_string().as_bytes());
        });
        told.member("Keys", |out| write_item(&change.keys, out));
        if let Some(new) = &change.new {
            told.member("NewImage", |out| write_item(new, out));
        }
        if let Some(old) = &change.old {
            told.member("OldImage", |out| write_item(old, out));
        }
        told.member("SequenceNumber", |out| text(&number_of(stamp), out));
        told.number("SizeBytes", change.size());
        told.member("StreamViewType", |out| text(stream.view.name(), out));
        out.extend_from_slice(&told.finish());
    });
    if change.expired {
        record.member("userIdentity", |out| {
            out.extend_from_slice(br#"{"PrincipalId":"dynamodb.amazonaws.com","Type":"Service"}"#);
        });
    }
    out.extend_from_slice(&record.finish());
}

impl Operation for GetRecords {
    type Service = DynamoDb;
    type Input = Input;
    type Output = Vec<u8>;
    type Error = DynamoError;

    const NAME: &'static str = "GetRecords";
    const EFFECT: Effect = Effect::ReadsData;

    fn permissions(_: &Asked<'_, DynamoDb>, input: &Input) -> Permissions {
        Permissions::one("dynamodb:GetRecords", &input.iterator.stream_arn)
    }

    async fn run(cx: Cx<DynamoDb>, input: Input) -> Result<Vec<u8>, DynamoError> {
        input.iterator.check_age(cx.now())?;
        let named = &StreamName::parse(&input.iterator.stream_arn)?;
        let (cx, input) = (&cx, &input);
        cx.read(|tx| async move {
            let stream = named.find(&tx, cx.scope()).await?;
            let found = read(&tx, &stream, input, cx.now()).await?;
            let mut answer = Answering::new();
            answer.member("Records", |out| {
                crate::capacity::write_all(b'[', &found.records, b']', out, |(stamp, change), out| {
                    write_record(&stream, *stamp, change, out);
                });
            });
            if let Some(position) = found.next {
                let next = ShardIterator { stream_arn: stream.arn(), position, handed_out: cx.now() };
                answer.member("NextShardIterator", |out| write_string(&next.text(), out));
            }
            Ok(answer.finish())
        })
        .await
    }
}

impl ByHand for GetRecords {
    fn decode(call: Call) -> Result<Input, Fault> {
        decode(&call).map_err(Fault::from)
    }

    fn encode(output: Vec<u8>) -> Result<Answer, Fault> {
        Ok(Answer::Json(output.into()))
    }
}
