use std::collections::HashMap;

use homeport_core::Scope;
use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use homeport_store::{Direction, Tx};
use serde::{Deserialize, Serialize};

use crate::events::{self, Event, OVERHEAD, Pointer, Window};
use crate::pattern::Pattern;
use crate::records::{Group, STREAMS, asked_arn, group_name, stream_key};
use crate::{Logs, LogsError, find, token};

/// `FilterLogEvents` (CloudWatch Logs API reference): a group's events in order of time, those that match a pattern.
/// A page may hold fewer than there are, even none, and then has a token.
pub(crate) struct FilterLogEvents;

/// Events on a page, unless fewer are asked for.
const PAGE: usize = 10_000;
/// Bytes on a page.
const PAGE_BYTES: usize = 1 << 20;
/// Events that are looked at for a page.
const LOOKED_AT: usize = 10_000;
/// Of them at a time.
const STEP: usize = 500;
const PREFIX: &str = "n";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Input {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_names: Option<Vec<String>>,
    log_stream_name_prefix: Option<String>,
    start_time: Option<i64>,
    end_time: Option<i64>,
    filter_pattern: Option<String>,
    next_token: Option<String>,
    limit: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Output {
    events: Vec<FilteredEvent>,
    searched_log_streams: [(); 0],
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FilteredEvent {
    log_stream_name: String,
    timestamp: i64,
    message: String,
    ingestion_time: i64,
    event_id: String,
}

impl Operation for FilterLogEvents {
    type Service = Logs;
    type Input = Input;
    type Output = Output;
    type Error = LogsError;

    const NAME: &'static str = "FilterLogEvents";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(asked: &Asked<'_, Logs>, input: &Input) -> Permissions {
        let name = group_name(input.log_group_name.as_deref(), input.log_group_identifier.as_deref());
        Permissions::one("logs:FilterLogEvents", asked_arn(asked.scope, name.unwrap_or_default(), ""))
    }

    fn run(cx: Cx<Logs>, input: Input) -> impl Future<Output = Result<Output, LogsError>> + Send {
        async move {
            if input.log_stream_names.is_some() && input.log_stream_name_prefix.is_some() {
                return Err(LogsError::invalid(
                    "logStreamNamePrefix and logStreamNames are mutually exclusive.",
                ));
            }
            let pattern = &Pattern::parse(input.filter_pattern.as_deref().unwrap_or_default())?;
            let (scope, input) = (cx.scope(), &input);
            cx.read(|tx| async move { filter(&tx, scope, input, pattern).await }).await
        }
    }
}

async fn filter(tx: &Tx, scope: &Scope, input: &Input, pattern: &Pattern) -> Result<Output, LogsError> {
    let name = group_name(input.log_group_name.as_deref(), input.log_group_identifier.as_deref())
        .ok_or_else(|| LogsError::invalid("Either LogGroupName or LogGroupIdentifier is needed."))?;
    let group = find::group(tx, scope, name).await?;
    for stream in input.log_stream_names.iter().flatten() {
        find::stream(tx, &group, stream).await?;
    }
    let after = match input.next_token.as_deref().map(token::read).transpose()? {
        Some((PREFIX, place)) => Some(place),
        Some(_) => return Err(LogsError::invalid_token()),
        None => None,
    };
    let mut window =
        // Up to and with `endTime`, other than GetLogEvents.
        Window { from: input.start_time, to: input.end_time.map(|end| end.saturating_add(1)), after, direction: Direction::Forward };
    let mut living = Living::default();
    let mut page = Page { most: input.limit.unwrap_or(PAGE).clamp(1, PAGE), bytes: 0, events: Vec::new() };
    for _ in 0..LOOKED_AT / STEP {
        let (pointers, more) = events::pointers(tx, &group.id, &window, STEP).await?;
        let last = pointers.last().map(|pointer| pointer.place.parts());
        let mut asked: Vec<Pointer> = Vec::new();
        for pointer in pointers {
            if input.asks_for(&pointer.stream_name) && living.has(tx, &group, &pointer).await? {
                asked.push(pointer);
            }
        }
        let found = events::follow(tx, &group.id, &asked).await?;
        for (pointer, event) in asked.into_iter().zip(found) {
            let Some(event) = event.filter(|event| pattern.matches(&event.message)) else { continue };
            let place = event.place.parts();
            if page.is_full_for(&event) {
                return Ok(page.into_output(window.after));
            }
            page.take(pointer.stream_name, event);
            window.after = Some(place);
        }
        if !more {
            return Ok(page.into_output(None));
        }
        window.after = last;
    }
    Ok(page.into_output(window.after))
}

impl Input {
    fn asks_for(&self, stream: &str) -> bool {
        let named =
            self.log_stream_names.as_ref().is_none_or(|names| names.iter().any(|name| name == stream));
        named && self.log_stream_name_prefix.as_ref().is_none_or(|prefix| stream.starts_with(prefix.as_str()))
    }
}

/// Which streams are still there: the events of one that was deleted are swept only by and by.
#[derive(Default)]
struct Living(HashMap<String, bool>);

impl Living {
    async fn has(&mut self, tx: &Tx, group: &Group, pointer: &Pointer) -> Result<bool, LogsError> {
        if let Some(lives) = self.0.get(&pointer.stream_id) {
            return Ok(*lives);
        }
        let named = STREAMS.get(tx, stream_key(&group.id, &pointer.stream_name)).await?;
        let lives = named.is_some_and(|stream| stream.id == pointer.stream_id);
        self.0.insert(pointer.stream_id.clone(), lives);
        Ok(lives)
    }
}

struct Page {
    most: usize,
    bytes: usize,
    events: Vec<FilteredEvent>,
}

impl Page {
    fn is_full_for(&self, event: &Event) -> bool {
        let bytes = self.bytes + event.message.len() + OVERHEAD;
        self.events.len() >= self.most || (bytes > PAGE_BYTES && !self.events.is_empty())
    }

    fn take(&mut self, stream: String, event: Event) {
        self.bytes += event.message.len() + OVERHEAD;
        self.events.push(FilteredEvent {
            log_stream_name: stream,
            timestamp: event.place.time,
            event_id: event.place.event_id(),
            ingestion_time: event.ingested,
            message: event.message,
        });
    }

    fn into_output(self, next: Option<homeport_store::KeyParts>) -> Output {
        let next_token = next.map(|place| token::write(PREFIX, &place));
        Output { events: self.events, searched_log_streams: [], next_token }
    }
}
