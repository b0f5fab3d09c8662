use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use homeport_store::{Direction, Range, Tx};
use serde::{Deserialize, Serialize};

use super::get_shard_iterator::stamp_of_row;
use super::sequence::{first, number_of};
use super::stream_name::StreamName;
use super::{check_limit, is_enabled};
use crate::DynamoDb;
use crate::description::{KeySchemaElement, key_schema};
use crate::error::DynamoError;
use crate::records::{StreamRecord, stream_records};

/// `DescribeStream` (API reference): what a stream is, and its shard.
pub(crate) struct DescribeStream;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    stream_arn: String,
    exclusive_start_shard_id: Option<String>,
    limit: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    stream_description: StreamDescription,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct StreamDescription {
    stream_arn: String,
    stream_label: String,
    stream_status: &'static str,
    stream_view_type: &'static str,
    creation_request_date_time: f64,
    table_name: String,
    key_schema: Vec<KeySchemaElement>,
    shards: Vec<Shard>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shard {
    shard_id: String,
    sequence_number_range: SequenceNumberRange,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SequenceNumberRange {
    starting_sequence_number: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ending_sequence_number: Option<String>,
}

async fn shard(tx: &Tx, stream: &StreamRecord, enabled: bool) -> Result<Shard, DynamoError> {
    let ending_sequence_number = match enabled {
        true => None,
        false => {
            let rows = Range::prefix(&stream_records(&stream.id));
            let last = tx.scan(rows, Direction::Backward, 1).await?;
            Some(last.rows.first().and_then(stamp_of_row).map_or_else(first, number_of))
        }
    };
    let sequence_number_range =
        SequenceNumberRange { starting_sequence_number: first(), ending_sequence_number };
    Ok(Shard { shard_id: stream.shard_id(), sequence_number_range })
}

impl Operation for DescribeStream {
    type Service = DynamoDb;
    type Input = Input;
    type Output = Output;
    type Error = DynamoError;

    const NAME: &'static str = "DescribeStream";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(_: &Asked<'_, DynamoDb>, input: &Input) -> Permissions {
        Permissions::one("dynamodb:DescribeStream", &input.stream_arn)
    }

    async fn run(cx: Cx<DynamoDb>, input: Input) -> Result<Output, DynamoError> {
        check_limit(input.limit)?;
        let named = &StreamName::parse(&input.stream_arn)?;
        let (cx, input) = (&cx, &input);
        cx.read(|tx| async move {
            let stream = named.find(&tx, cx.scope()).await?;
            let enabled = is_enabled(&tx, &stream).await?;
            let shard = shard(&tx, &stream, enabled).await?;
            let is_behind = input.exclusive_start_shard_id.as_ref() == Some(&shard.shard_id);
            Ok(Output {
                stream_description: StreamDescription {
                    stream_arn: stream.arn(),
                    stream_label: stream.label.clone(),
                    stream_status: if enabled { "ENABLED" } else { "DISABLED" },
                    stream_view_type: stream.view.name(),
                    creation_request_date_time: stream.created.seconds_f64(),
                    table_name: stream.table.clone(),
                    key_schema: key_schema(&stream.schema),
                    shards: if is_behind { Vec::new() } else { vec![shard] },
                },
            })
        })
        .await
    }
}
