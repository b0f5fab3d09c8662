use homeport_core::Scope;
use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use homeport_store::{Direction, KeyParts, MAX_PAGE_ROWS, Tx};
use serde::{Deserialize, Serialize};

use crate::events::{self, Event, OVERHEAD, Window};
use crate::records::{asked_arn, group_name};
use crate::{Logs, LogsError, find, token};

/// `GetLogEvents` (CloudWatch Logs API reference): a stream's events in order of time; the last ones, unless asked
/// from the head. Both tokens are always given; at an end it is the one that was sent.
pub(crate) struct GetLogEvents;

/// Events on a page, unless fewer are asked for.
const PAGE: usize = 10_000;
/// Bytes on a page.
const PAGE_BYTES: usize = 1 << 20;
const FORWARD: &str = "f";
const BACKWARD: &str = "b";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Input {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_name: String,
    start_time: Option<i64>,
    end_time: Option<i64>,
    next_token: Option<String>,
    limit: Option<usize>,
    #[serde(default)]
    start_from_head: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Output {
    events: Vec<OutputEvent>,
    next_forward_token: String,
    next_backward_token: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OutputEvent {
    timestamp: i64,
    message: String,
    ingestion_time: i64,
}

impl Operation for GetLogEvents {
    type Service = Logs;
    type Input = Input;
    type Output = Output;
    type Error = LogsError;

    const NAME: &'static str = "GetLogEvents";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, Logs>, input: &Input) -> Permissions {
        let name = group_name(input.log_group_name.as_deref(), input.log_group_identifier.as_deref());
        let arn = asked_arn(asked.scope, name.unwrap_or_default(), &input.log_stream_name);
        Permissions::one("logs:GetLogEvents", arn)
    }

    fn run(cx: Cx<Logs>, input: Input) -> impl Future<Output = Result<Output, LogsError>> + Send {
        async move {
            let (scope, input) = (cx.scope(), &input);
            cx.read(|tx| async move { get(&tx, scope, input).await }).await
        }
    }
}

async fn get(tx: &Tx, scope: &Scope, input: &Input) -> Result<Output, LogsError> {
    let name = group_name(input.log_group_name.as_deref(), input.log_group_identifier.as_deref())
        .ok_or_else(|| LogsError::invalid("Either LogGroupName or LogGroupIdentifier is needed."))?;
    let group = find::group(tx, scope, name).await?;
    let stream = find::stream(tx, &group, &input.log_stream_name).await?;
    let (direction, after) = match input.next_token.as_deref().map(token::read).transpose()? {
        Some((FORWARD, place)) => (Direction::Forward, Some(place)),
        Some((BACKWARD, place)) => (Direction::Backward, Some(place)),
        Some(_) => return Err(LogsError::invalid_token()),
        None if input.start_from_head => (Direction::Forward, None),
        None => (Direction::Backward, None),
    };
    let mut window = Window { from: input.start_time, to: input.end_time, after: after.clone(), direction };
    let most = input.limit.unwrap_or(PAGE).clamp(1, PAGE);
    let mut found: Vec<Event> = Vec::new();
    let mut bytes = 0;
    'pages: loop {
        let (page, more) =
            events::page(tx, &stream, &window, (most - found.len()).min(MAX_PAGE_ROWS)).await?;
        for event in page {
            bytes += event.message.len() + OVERHEAD;
            if bytes > PAGE_BYTES && !found.is_empty() {
                break 'pages;
            }
            window.after = Some(event.place.parts());
            found.push(event);
        }
        if !more || found.len() >= most {
            break;
        }
    }
    if direction == Direction::Backward {
        found.reverse();
    }
    // Without events both stay where they were; without a token too, at the beginning of the window.
    let still = after.unwrap_or_else(|| KeyParts::new().i64(input.start_time.unwrap_or(0)));
    let place = |event: Option<&Event>| event.map_or_else(|| still.clone(), |event| event.place.parts());
    Ok(Output {
        next_forward_token: token::write(FORWARD, &place(found.last())),
        next_backward_token: token::write(BACKWARD, &place(found.first())),
        events: found.into_iter().map(shown).collect(),
    })
}

fn shown(event: Event) -> OutputEvent {
    OutputEvent { timestamp: event.place.time, message: event.message, ingestion_time: event.ingested }
}
