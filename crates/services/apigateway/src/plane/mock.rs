//! `MOCK`: the gateway answers by itself. The request's template says a status, which picks the answer.

use http::header;
use regex::RegexBuilder;
use serde_json::Value;

use super::answer::Answer;
use super::event;
use super::exchange::Exchange;
use super::refusal::Refusal;
use crate::integration::template;
use crate::mapping::Expression;
use crate::method::{Integration, IntegrationResponse};

/// Answers.
pub(super) fn answer(exchange: &Exchange, integration: &Integration, body: &[u8]) -> Result<Answer, Refusal> {
    let content_type = exchange.header("content-type").unwrap_or_default();
    let no_status = || Refusal::configuration("the mock's request says no statusCode");
    let text = match template(&integration.request_templates, content_type) {
        Some(template) => template.to_owned(),
        None => {
            let passes = match integration.passthrough_behavior.as_str() {
                "NEVER" => false,
                "WHEN_NO_TEMPLATES" => integration.request_templates.is_empty(),
                _ => true,
            };
            if !passes {
                return Err(Refusal::unsupported_media_type());
            }
            String::from_utf8_lossy(body).into_owned()
        }
    };
    let request: Value = serde_json::from_str(&text).map_err(|_| no_status())?;
    let status = match &request["statusCode"] {
        Value::Number(status) => status.to_string(),
        Value::String(status) => status.clone(),
        _ => return Err(no_status()),
    };
    let response = choose(integration, &status)
        .ok_or_else(|| Refusal::configuration("no integration response for this status"))?;
    let code = response.status_code.parse().ok();
    let mut answer = code.and_then(Answer::new).ok_or_else(|| Refusal::configuration("no status"))?;
    for (to, from) in &response.response_parameters {
        let name = to.strip_prefix("method.response.header.").unwrap_or_default();
        if let Some(value) = value(exchange, from) {
            answer.add(name, value.as_bytes());
        }
    }
    let accept = exchange.header("accept").unwrap_or_default().split(',').next().unwrap_or_default();
    let templates = &response.response_templates;
    let chosen = templates.get_key_value(accept).or_else(|| templates.get_key_value("application/json"));
    if let Some((content_type, text)) = chosen.or_else(|| templates.iter().next()) {
        answer.body = text.clone().into();
        if let Ok(content_type) = header::HeaderValue::from_str(content_type) {
            answer.headers.entry(header::CONTENT_TYPE).or_insert(content_type);
        }
    }
    Ok(answer)
}

/// The answer whose pattern the status matches, or the one without a pattern.
fn choose<'i>(integration: &'i Integration, status: &str) -> Option<&'i IntegrationResponse> {
    let matches = |pattern: &str| {
        let whole = format!(r"\A(?:{pattern})\z");
        RegexBuilder::new(&whole).size_limit(1 << 20).build().is_ok_and(|regex| regex.is_match(status))
    };
    let responses = || integration.integration_responses.values();
    responses()
        .find(|response| response.selection_pattern.as_deref().is_some_and(matches))
        .or_else(|| responses().find(|response| response.selection_pattern.is_none()))
}

/// The value of a mapping; a mock has no answer of a backend's to take one from.
fn value(exchange: &Exchange, from: &str) -> Option<String> {
    match Expression::parse(from)? {
        Expression::Text(text) => Some(text),
        Expression::StageVariable(name) => exchange.stage()?.variables.get(&name).cloned(),
        Expression::Context(name) => event::variable(exchange, &name),
        Expression::Header(_) | Expression::Query(_) | Expression::Path(_) => None,
    }
}
