use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::{Deserialize, Serialize};

use super::stream_name::StreamName;
use super::{MAX_LISTED, check_limit};
use crate::DynamoDb;
use crate::error::DynamoError;
use crate::records::{STREAMS, StreamRecord, streams_of};
use crate::request::TableName;

/// `ListStreams` (API reference): all streams, or one table's.
pub(crate) struct ListStreams;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    table_name: Option<String>,
    exclusive_start_stream_arn: Option<String>,
    limit: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    streams: Vec<Listed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_evaluated_stream_arn: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    stream_arn: String,
    stream_label: String,
    table_name: String,
}

impl From<StreamRecord> for Listed {
    fn from(stream: StreamRecord) -> Self {
        Self { stream_arn: stream.arn(), stream_label: stream.label, table_name: stream.table }
    }
}

impl Operation for ListStreams {
    type Service = DynamoDb;
    type Input = Input;
    type Output = Output;
    type Error = DynamoError;

    const NAME: &'static str = "ListStreams";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, DynamoDb>, input: &Input) -> Permissions {
        let resource = match &input.table_name {
            Some(table) => format!("{}/stream/*", TableName::of(table).arn(asked.scope)),
            None => "*".to_owned(),
        };
        Permissions::one("dynamodb:ListStreams", resource)
    }

    async fn run(cx: Cx<DynamoDb>, input: Input) -> Result<Output, DynamoError> {
        check_limit(input.limit)?;
        let mut prefix = streams_of(cx.scope());
        if let Some(table) = &input.table_name {
            prefix = prefix.str(TableName::of(table).name());
        }
        let start = input.exclusive_start_stream_arn.as_deref().map(StreamName::parse).transpose()?;
        let after = start.map(|start| streams_of(cx.scope()).str(&start.table).str(&start.label));
        let limit = input.limit.unwrap_or(MAX_LISTED).max(1);
        let (prefix, after) = (&prefix, &after);
        let found = cx
            .read(|tx| async move {
                let after = after.as_ref().map(|after| after.as_bytes());
                Ok::<_, DynamoError>(STREAMS.page(&tx, prefix, after, limit).await?)
            })
            .await?;
        let last = found.records.last().filter(|_| found.cursor.is_some()).map(StreamRecord::arn);
        let streams = found.records.into_iter().map(Listed::from).collect();
        Ok(Output { streams, last_evaluated_stream_arn: last })
    }
}
