use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use serde::{Deserialize, Serialize};

use crate::events::OVERHEAD;
use crate::put::put;
use crate::records::asked_arn;
use crate::{Logs, LogsError, find};

/// `PutLogEvents` (CloudWatch Logs API reference): a batch of at most 10,000 events and 1 MiB, in order of time, within a day.
pub(crate) struct PutLogEvents;

const LARGEST_BATCH: usize = 1_048_576;
const LONGEST_SPAN: i64 = DAY;
const DAY: i64 = 86_400_000;
/// How old an event may be, and how far ahead.
const OLDEST: i64 = 14 * DAY;
const NEWEST: i64 = 2 * 3_600_000;

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Input {
    log_group_name: String,
    log_stream_name: String,
    log_events: Vec<InputEvent>,
}

#[derive(Clone, Deserialize)]
pub(crate) struct InputEvent {
    timestamp: i64,
    message: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Output {
    #[serde(skip_serializing_if = "Option::is_none")]
    rejected_log_events_info: Option<Rejected>,
}

#[derive(Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Rejected {
    #[serde(skip_serializing_if = "Option::is_none")]
    too_new_log_event_start_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    too_old_log_event_end_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expired_log_event_end_index: Option<usize>,
}

impl Operation for PutLogEvents {
    type Service = Logs;
    type Input = Input;
    type Output = Output;
    type Error = LogsError;

    const NAME: &'static str = "PutLogEvents";
    const EFFECT: Effect = Effect::WritesData;

    fn permissions(asked: &Asked<'_, Logs>, input: &Input) -> Permissions {
        Permissions::one(
            "logs:PutLogEvents",
            asked_arn(asked.scope, &input.log_group_name, &input.log_stream_name),
        )
    }

    fn run(cx: Cx<Logs>, input: Input) -> impl Future<Output = Result<Output, LogsError>> + Send {
        async move {
            check(&input.log_events)?;
            let now = cx.now().millis();
            let rejected = cx
                .write(|tx| {
                    let (cx, input) = (&cx, &input);
                    async move {
                        let group = find::group(&tx, cx.scope(), &input.log_group_name).await?;
                        let stream = find::stream(&tx, &group, &input.log_stream_name).await?;
                        let (taken, rejected) = sift(&input.log_events, now, group.retention);
                        put(&tx, stream, now, &taken).await?;
                        Ok::<_, LogsError>(rejected)
                    }
                })
                .await?;
            Ok(Output { rejected_log_events_info: (rejected != Rejected::default()).then_some(rejected) })
        }
    }
}

fn check(events: &[InputEvent]) -> Result<(), LogsError> {
    let bytes: usize = events.iter().map(|event| event.message.len() + OVERHEAD).sum();
    if bytes > LARGEST_BATCH {
        return Err(LogsError::invalid(format!(
            "Upload too large: {bytes} bytes exceeds limit of {LARGEST_BATCH}"
        )));
    }
    if !events.is_sorted_by_key(|event| event.timestamp) {
        return Err(LogsError::invalid(
            "Log events in a single PutLogEvents request must be in chronological order.",
        ));
    }
    if let (Some(first), Some(last)) = (events.first(), events.last())
        && last.timestamp - first.timestamp > LONGEST_SPAN
    {
        return Err(LogsError::invalid(
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
        ));
    }
    Ok(())
}

/// What is neither too old, expired nor too new, and where what is begins and ends.
fn sift(events: &[InputEvent], now: i64, retention: Option<i64>) -> (Vec<(i64, String)>, Rejected) {
    let before = |moment: i64| events.partition_point(|event| event.timestamp < moment);
    let too_old = before(now - OLDEST);
    let expired = retention.map_or(0, |days| before(now - days * DAY));
    let too_new = before(now + NEWEST + 1);
    let taken = events.get(too_old.max(expired)..too_new).unwrap_or_default();
    let some = |index: usize| (index > 0).then_some(index);
    let rejected = Rejected {
        too_new_log_event_start_index: (too_new < events.len()).then_some(too_new),
        too_old_log_event_end_index: some(too_old),
        expired_log_event_end_index: some(expired),
    };
    (taken.iter().map(|event| (event.timestamp, event.message.clone())).collect(), rejected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_and_new_events_are_sifted_out() {
        let now = 100 * DAY;
        let at = |timestamp| InputEvent { timestamp, message: String::new() };
        let events = [at(now - 15 * DAY), at(now - 3 * DAY), at(now), at(now + 3 * 3_600_000)];
        let (taken, rejected) = sift(&events, now, Some(1));
        assert_eq!(taken.len(), 1);
        assert_eq!(rejected.too_old_log_event_end_index, Some(1));
        assert_eq!(rejected.expired_log_event_end_index, Some(2));
        assert_eq!(rejected.too_new_log_event_start_index, Some(3));
        assert!(sift(&events[..1], now, None).0.is_empty());
        assert!(sift(&[], now, None).1 == Rejected::default());
    }
}
