//! `CreateLogStream`, `DeleteLogStream`, `DescribeLogStreams` (CloudWatch Logs API reference).

use homeport_core::{Scope, uuid_v4};
use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use homeport_store::{Direction, StoreError, Tx};
use serde::{Deserialize, Serialize};

use crate::records::{
    BY_LAST_EVENT, STREAMS, Stream, UNLINKED, Unlinked, asked_arn, group_arn, group_name, stream_key,
};
use crate::{Logs, LogsError, find};

/// Streams on a page, unless fewer are asked for.
const PAGE: usize = 50;

pub(crate) struct CreateLogStream;
pub(crate) struct DeleteLogStream;
pub(crate) struct DescribeLogStreams;

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NameInput {
    log_group_name: String,
    log_stream_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DescribeInput {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_name_prefix: Option<String>,
    order_by: Option<String>,
    #[serde(default)]
    descending: bool,
    limit: Option<usize>,
    next_token: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct Done {}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Described {
    log_streams: Vec<StreamView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StreamView {
    log_stream_name: String,
    creation_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_event_timestamp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_event_timestamp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_ingestion_time: Option<i64>,
    arn: String,
    stored_bytes: i64,
}

impl Operation for CreateLogStream {
    type Service = Logs;
    type Input = NameInput;
    type Output = Done;
    type Error = LogsError;

    const NAME: &'static str = "CreateLogStream";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, Logs>, input: &NameInput) -> Permissions {
        Permissions::one(
            "logs:CreateLogStream",
            asked_arn(asked.scope, &input.log_group_name, &input.log_stream_name),
        )
    }

    fn run(cx: Cx<Logs>, input: NameInput) -> impl Future<Output = Result<Done, LogsError>> + Send {
        async move {
            let id = uuid_v4(&**cx.randomness());
            cx.write(|tx| {
                let (cx, input, id) = (&cx, &input, id.clone());
                async move {
                    let group = find::group(&tx, cx.scope(), &input.log_group_name).await?;
                    let stream = Stream {
                        group_id: group.id,
                        name: input.log_stream_name.clone(),
                        id,
                        created: cx.now().millis(),
                        first_event: None,
                        last_event: None,
                        last_ingestion: None,
                    };
                    if STREAMS.insert(&tx, &stream).await? { Ok(()) } else { Err(LogsError::StreamExists) }
                }
            })
            .await?;
            Ok(Done {})
        }
    }
}

impl Operation for DeleteLogStream {
    type Service = Logs;
    type Input = NameInput;
    type Output = Done;
    type Error = LogsError;

    const NAME: &'static str = "DeleteLogStream";
    const EFFECT: Effect = Effect::Writes;

    fn permissions(asked: &Asked<'_, Logs>, input: &NameInput) -> Permissions {
        Permissions::one(
            "logs:DeleteLogStream",
            asked_arn(asked.scope, &input.log_group_name, &input.log_stream_name),
        )
    }

    fn run(cx: Cx<Logs>, input: NameInput) -> impl Future<Output = Result<Done, LogsError>> + Send {
        async move {
            cx.write(|tx| {
                let (cx, input) = (&cx, &input);
                async move {
                    let group = find::group(&tx, cx.scope(), &input.log_group_name).await?;
                    let deleted = STREAMS.delete(&tx, stream_key(&group.id, &input.log_stream_name)).await?;
                    let stream = deleted.ok_or(LogsError::NoSuchStream)?;
                    let unlinked = Unlinked { group_id: group.id, stream_id: Some(stream.id) };
                    Ok::<_, LogsError>(UNLINKED.put(&tx, &unlinked).await?)
                }
            })
            .await?;
            cx.service.unlinked.notify_one();
            Ok(Done {})
        }
    }
}

impl Operation for DescribeLogStreams {
    type Service = Logs;
    type Input = DescribeInput;
    type Output = Described;
    type Error = LogsError;

    const NAME: &'static str = "DescribeLogStreams";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, Logs>, input: &DescribeInput) -> Permissions {
        let name = group_name(input.log_group_name.as_deref(), input.log_group_identifier.as_deref());
        Permissions::one("logs:DescribeLogStreams", asked_arn(asked.scope, name.unwrap_or_default(), ""))
    }

    fn run(cx: Cx<Logs>, input: DescribeInput) -> impl Future<Output = Result<Described, LogsError>> + Send {
        async move {
            let (scope, input) = (cx.scope(), &input);
            cx.read(|tx| async move { describe(&tx, scope, input).await }).await
        }
    }
}

async fn describe(tx: &Tx, scope: &Scope, input: &DescribeInput) -> Result<Described, LogsError> {
    let name = group_name(input.log_group_name.as_deref(), input.log_group_identifier.as_deref())
        .ok_or_else(|| LogsError::invalid("Either LogGroupName or LogGroupIdentifier is needed."))?;
    let by_time = input.order_by.as_deref() == Some("LastEventTime");
    let prefix = input.log_stream_name_prefix.as_deref().unwrap_or_default();
    if by_time && !prefix.is_empty() {
        return Err(LogsError::invalid("Cannot order by LastEventTime with a logStreamNamePrefix."));
    }
    let group = find::group(tx, scope, name).await?;
    let most = input.limit.unwrap_or(PAGE).clamp(1, PAGE);
    let direction = if input.descending { Direction::Backward } else { Direction::Forward };
    let token = input.next_token.as_ref().map(hex::decode).transpose();
    let mut after = token.map_err(|_| LogsError::invalid_token())?.map(bytes::Bytes::from);
    let mut views = Vec::new();
    loop {
        let left = most - views.len();
        let read = match by_time {
            true => {
                STREAMS.page_by_in(tx, BY_LAST_EVENT, &*group.id, after.as_deref(), direction, left).await
            }
            false => STREAMS.page_in(tx, &*group.id, after.as_deref(), direction, left).await,
        };
        let page = read.map_err(|error| match error {
            StoreError::BadCursor => LogsError::invalid_token(),
            other => other.into(),
        })?;
        views.extend(
            page.records
                .iter()
                .filter(|stream| stream.name.starts_with(prefix))
                .map(|stream| view(scope, name, stream)),
        );
        match page.cursor {
            Some(cursor) if views.len() < most => after = Some(cursor),
            cursor => return Ok(Described { log_streams: views, next_token: cursor.map(hex::encode) }),
        }
    }
}

fn view(scope: &Scope, group: &str, stream: &Stream) -> StreamView {
    StreamView {
        log_stream_name: stream.name.clone(),
        creation_time: stream.created,
        first_event_timestamp: stream.first_event,
        last_event_timestamp: stream.last_event,
        last_ingestion_time: stream.last_ingestion,
        arn: format!("{}:log-stream:{}", group_arn(scope, group), stream.name),
        // AWS stopped to count per stream in 2019 and says 0 since.
        stored_bytes: 0,
    }
}
