//! `AWS_PROXY`: a Lambda function gets the whole request as an event and answers the whole answer.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use homeport_core::Arn;
use homeport_service::Needs;
use homeport_service::needs::{Invocation, InvokeKind, InvokeRefused, On, met};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::answer::Answer;
use super::event;
use super::exchange::Exchange;
use super::media;
use super::refusal::Refusal;
use super::served::Served;
use crate::integration::function_arn;
use crate::mapping::with_stage_variables;
use crate::method::Integration;

/// Invokes the function behind a method.
pub(super) async fn answer(
    needs: &Needs,
    exchange: &Exchange,
    served: &Served,
    integration: &Integration,
    body: Bytes,
) -> Result<Answer, Refusal> {
    let uri = integration.uri.as_deref().and_then(|uri| with_stage_variables(uri, &served.variables));
    let function =
        uri.as_deref().and_then(function_arn).ok_or_else(|| Refusal::configuration("no function"))?;
    let resource = served.resources.get(exchange.resource).map_or("/", |resource| resource.path.as_str());
    let source = format!("{}/{}/{}{resource}", served.home.execute_arn(), served.stage, exchange.head.method);
    let on = On {
        service: "apigateway.amazonaws.com",
        source_arn: Arn::parse(&source).map_err(Refusal::configuration)?,
        source_account: served.home.account,
        depth: exchange.depth(),
    };
    let event = event::proxy(exchange, served, event_body(exchange, served, &body));
    let payload = serde_json::to_vec(&event).map_err(Refusal::configuration)?;
    let invocation = Invocation {
        function_arn: function.to_owned(),
        payload: payload.into(),
        kind: InvokeKind::RequestResponse,
        trace_id: Some(exchange.trace_id.clone()),
    };
    let invoke = met(&needs.invoke, "Invoke").map_err(Refusal::configuration)?;
    let time = Duration::from_millis(integration.timeout_in_millis.unsigned_abs());
    let invoked = tokio::time::timeout(time, invoke.invoke(on, invocation)).await;
    let invoked = invoked.map_err(|_| Refusal::timed_out())?.map_err(refused)?;
    if invoked.function_error.is_some() {
        return Err(Refusal::bad_gateway("the function failed"));
    }
    read(&invoked.payload, served, exchange.header("accept"))
}

/// A refusal of the function's side is ours to a client: it learns no more than that.
fn refused(refused: InvokeRefused) -> Refusal {
    match refused {
        InvokeRefused::TooLarge => Refusal::too_large(),
        other => Refusal::configuration(other),
    }
}

/// The body as text, or in base64 where the API calls its type binary; none if it is empty.
fn event_body(exchange: &Exchange, served: &Served, body: &[u8]) -> Option<(String, bool)> {
    if body.is_empty() {
        return None;
    }
    let content_type = exchange.header("content-type").unwrap_or_default();
    if media::is_binary(&served.binary, content_type) {
        return Some((BASE64.encode(body), true));
    }
    Some((String::from_utf8_lossy(body).into_owned(), false))
}

/// What a function may answer, and nothing else.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Output {
    status_code: Value,
    #[serde(default)]
    headers: Option<Map<String, Value>>,
    #[serde(default)]
    multi_value_headers: Option<Map<String, Value>>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: Option<bool>,
}

fn read(payload: &[u8], served: &Served, accept: Option<&str>) -> Result<Answer, Refusal> {
    let malformed = || Refusal::bad_gateway("Malformed Lambda proxy response");
    let output: Output = serde_json::from_slice(payload).map_err(|_| malformed())?;
    let status = match &output.status_code {
        Value::Number(status) => status.as_u64().and_then(|status| u16::try_from(status).ok()),
        Value::String(status) => status.parse().ok(),
        _ => None,
    };
    let mut answer = status.and_then(Answer::new).ok_or_else(malformed)?;
    for (name, values) in output.multi_value_headers.iter().flatten() {
        for value in values.as_array().ok_or_else(malformed)? {
            answer.add(name, text(value).ok_or_else(malformed)?.as_bytes());
        }
    }
    for (name, value) in output.headers.iter().flatten() {
        // A name that stands in both maps is said by the one with room for many.
        let said = output.multi_value_headers.as_ref().is_some_and(|multi| multi.contains_key(name));
        if !said {
            answer.add(name, text(value).ok_or_else(malformed)?.as_bytes());
        }
    }
    let body = output.body.unwrap_or_default();
    let as_bytes = output.is_base64_encoded == Some(true) && media::accepts_binary(&served.binary, accept);
    answer.body = if as_bytes { BASE64.decode(&body).map_err(|_| malformed())?.into() } else { body.into() };
    if media::fits(answer.body.len()) {
        Ok(answer)
    } else {
        Err(Refusal::bad_gateway("the answer is too large"))
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}
