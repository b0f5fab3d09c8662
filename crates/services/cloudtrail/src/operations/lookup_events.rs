use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use homeport_core::Timestamp;
use homeport_service::{Asked, AuditRow, Cx, Effect, Operation, Permissions, audit_rows};
use serde::{Deserialize, Serialize};

use crate::event::{self, Event};
use crate::{CloudTrail, TrailError};

/// Rows that one call looks through at most; a page may then be short, or empty, with a token to go on.
const LOOKED_THROUGH: usize = 20_000;
/// Rows that are read at once.
const AT_ONCE: usize = 500;
/// Rows lie in the order of their commits, which differs from the order of their times by less than this.
const OUT_OF_ORDER_SECONDS: i64 = 60;

/// `LookupEvents` (AWS CloudTrail API reference): management events of the last 90 days, newest first, by at most
/// one attribute and a span of time; at most 50 a page.
pub(crate) struct LookupEvents;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    #[serde(default)]
    lookup_attributes: Vec<Attribute>,
    start_time: Option<f64>,
    end_time: Option<f64>,
    event_category: Option<String>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Attribute {
    attribute_key: String,
    attribute_value: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    events: Vec<Event>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

impl Operation for LookupEvents {
    type Service = CloudTrail;
    type Input = Input;
    type Output = Output;
    type Error = TrailError;

    const NAME: &'static str = "LookupEvents";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(_: &Asked<'_, CloudTrail>, _: &Input) -> Permissions {
        Permissions::one("cloudtrail:LookupEvents", "*")
    }

    fn run(cx: Cx<CloudTrail>, input: Input) -> impl Future<Output = Result<Output, TrailError>> + Send {
        async move {
            let wanted = Wanted::of(&input, cx.scope().region.as_str())?;
            let (limit, account) = (input.max_results.unwrap_or(50).min(50), cx.account().to_string());
            let mut before = input.next_token.as_deref().map(decode_token).transpose()?;
            let (mut events, mut looked_through) = (Vec::new(), 0);
            while looked_through < LOOKED_THROUGH {
                let page = audit_rows(cx.store(), before.clone(), AT_ONCE).await?;
                for row in &page.rows {
                    before = Some(row.key.to_vec());
                    let Ok(parsed) = serde_json::from_slice::<AuditRow>(&row.value) else { continue };
                    if wanted.is_past(&parsed) {
                        return Ok(Output { events, next_token: None });
                    }
                    if wanted.has(&parsed) {
                        events.push(event::of(&parsed, &account));
                    }
                    if events.len() == limit {
                        return Ok(Output {
                            events,
                            next_token: before.map(|key| URL_SAFE_NO_PAD.encode(key)),
                        });
                    }
                }
                looked_through += page.rows.len();
                if !page.more {
                    return Ok(Output { events, next_token: None });
                }
            }
            Ok(Output { events, next_token: before.map(|key| URL_SAFE_NO_PAD.encode(key)) })
        }
    }
}

fn decode_token(token: &str) -> Result<Vec<u8>, TrailError> {
    URL_SAFE_NO_PAD.decode(token).map_err(|_| TrailError::InvalidNextToken)
}

/// What is looked for.
struct Wanted<'a> {
    attribute: Option<(&'a str, &'a str)>,
    region: &'a str,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
    insight: bool,
}

impl<'a> Wanted<'a> {
    fn of(input: &'a Input, region: &'a str) -> Result<Self, TrailError> {
        const KEYS: [&str; 8] = [
            "EventId",
            "EventName",
            "ReadOnly",
            "Username",
            "ResourceType",
            "ResourceName",
            "EventSource",
            "AccessKeyId",
        ];
        let attribute = match input.lookup_attributes.as_slice() {
            [] => None,
            [one] => Some((one.attribute_key.as_str(), one.attribute_value.as_str())),
            _ => return Err(TrailError::InvalidLookupAttributes("You can specify only one attribute key.")),
        };
        if attribute.is_some_and(|(key, _)| !KEYS.contains(&key)) {
            return Err(TrailError::InvalidLookupAttributes("The attribute key is not valid."));
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "whole milliseconds of a date; out of range saturates"
        )]
        let moment = |seconds: f64| Timestamp::from_millis((seconds * 1_000.0) as i64);
        let (start, end) = (input.start_time.map(moment), input.end_time.map(moment));
        if start.zip(end).is_some_and(|(start, end)| start > end) {
            return Err(TrailError::InvalidTimeRange);
        }
        Ok(Self { attribute, region, start, end, insight: input.event_category.is_some() })
    }

    fn is_past(&self, row: &AuditRow) -> bool {
        self.start.is_some_and(|start| row.time < start.plus_seconds(-OUT_OF_ORDER_SECONDS))
    }

    fn has(&self, row: &AuditRow) -> bool {
        let in_time =
            self.start.is_none_or(|start| row.time >= start) && self.end.is_none_or(|end| row.time <= end);
        !self.insight && in_time && row.region == self.region && self.fits(row)
    }

    fn fits(&self, row: &AuditRow) -> bool {
        let Some((key, value)) = self.attribute else { return true };
        match key {
            "EventId" => row.event_id == value,
            "EventName" => row.event_name == value,
            "ReadOnly" => row.read_only.to_string() == value,
            "Username" => event::username(row) == Some(value),
            "EventSource" => row.event_source == value,
            "AccessKeyId" => event::access_key_id(row) == Some(value),
            // Resources aren't told from the other parameters: their values are looked through.
            _ => key == "ResourceName" && holds_text(&row.request_parameters, value),
        }
    }
}

fn holds_text(parameters: &serde_json::Value, wanted: &str) -> bool {
    use serde_json::Value;
    match parameters {
        Value::String(text) => text == wanted,
        Value::Array(items) => items.iter().any(|item| holds_text(item, wanted)),
        Value::Object(members) => members.values().any(|member| holds_text(member, wanted)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
