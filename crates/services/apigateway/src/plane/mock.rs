//! `MOCK`: the gateway answers by itself. The request's template says a status, which picks the answer. All of it is
//! known when a stage is compiled, so a call only looks it up.

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use regex::{Regex, RegexBuilder};
use serde_json::Value;

use super::answer::Answer;
use super::event;
use super::exchange::Exchange;
use super::refusal::Refusal;
use crate::mapping::Expression;
use crate::method::{Integration, IntegrationResponse};

/// A mock, ready to answer.
pub(super) struct Mock {
    /// By content type: the status that the template says, and the answer to it.
    requests: Vec<(String, Option<usize>)>,
    answers: Vec<MockAnswer>,
    /// Whether a request without a template passes as it is.
    passes: bool,
}

struct MockAnswer {
    /// None: the answer where no pattern matches.
    pattern: Option<Regex>,
    status: u16,
    headers: Vec<(String, Expression)>,
    /// By content type.
    bodies: Vec<(String, Option<HeaderValue>, Bytes)>,
}

const JSON: &str = "application/json";

impl Mock {
    pub(super) fn compile(integration: &Integration) -> Self {
        let answers: Vec<MockAnswer> =
            integration.integration_responses.values().filter_map(compile).collect();
        let said =
            |template: &String| status_of(template.as_bytes()).and_then(|status| choose(&answers, &status));
        let requests = integration.request_templates.iter();
        let requests = requests.map(|(media_type, template)| (media_type.clone(), said(template))).collect();
        let passes = match integration.passthrough_behavior.as_str() {
            "NEVER" => false,
            "WHEN_NO_TEMPLATES" => integration.request_templates.is_empty(),
            _ => true,
        };
        Self { requests, answers, passes }
    }

    /// Answers.
    pub(super) fn answer(&self, exchange: &Exchange, body: &[u8]) -> Result<Answer, Refusal> {
        let content_type = exchange.header("content-type").unwrap_or(JSON);
        let bare = content_type.split(';').next().unwrap_or_default().trim();
        let bare = if bare.is_empty() { JSON } else { bare };
        let template = self.requests.iter().find(|(media_type, _)| media_type.eq_ignore_ascii_case(bare));
        let template =
            template.or_else(|| self.requests.iter().find(|(media_type, _)| media_type == "$default"));
        let chosen = match template {
            Some((_, chosen)) => *chosen,
            None if self.passes => status_of(body).and_then(|status| choose(&self.answers, &status)),
            None => return Err(Refusal::unsupported_media_type()),
        };
        let chosen = chosen.and_then(|at| self.answers.get(at));
        let chosen = chosen
            .ok_or_else(|| Refusal::configuration("the mock's request says no status with an answer"))?;
        chosen.answer(exchange)
    }
}

/// The status in `{"statusCode": 200}`.
fn status_of(request: &[u8]) -> Option<String> {
    let request: Value = serde_json::from_slice(request).ok()?;
    match &request["statusCode"] {
        Value::Number(status) => Some(status.to_string()),
        Value::String(status) => Some(status.clone()),
        _ => None,
    }
}

/// The answer whose pattern the status matches, or the one without a pattern.
fn choose(answers: &[MockAnswer], status: &str) -> Option<usize> {
    let matches =
        |answer: &MockAnswer| answer.pattern.as_ref().is_some_and(|pattern| pattern.is_match(status));
    answers.iter().position(matches).or_else(|| answers.iter().position(|answer| answer.pattern.is_none()))
}

fn compile(response: &IntegrationResponse) -> Option<MockAnswer> {
    let pattern = match &response.selection_pattern {
        None => None,
        Some(pattern) => {
            let whole = format!(r"\A(?:{pattern})\z");
            Some(RegexBuilder::new(&whole).size_limit(1 << 20).build().ok()?)
        }
    };
    let header = |(to, from): (&String, &String)| {
        let name = to.strip_prefix("method.response.header.")?;
        HeaderName::from_bytes(name.as_bytes()).ok()?;
        Some((name.to_owned(), Expression::parse(from)?))
    };
    let body = |(media_type, text): (&String, &String)| {
        (media_type.clone(), HeaderValue::from_str(media_type).ok(), Bytes::from(text.clone()))
    };
    Some(MockAnswer {
        pattern,
        status: response.status_code.parse().ok()?,
        headers: response.response_parameters.iter().filter_map(header).collect(),
        bodies: response.response_templates.iter().map(body).collect(),
    })
}

impl MockAnswer {
    fn answer(&self, exchange: &Exchange) -> Result<Answer, Refusal> {
        let mut answer = Answer::new(self.status).ok_or_else(|| Refusal::configuration("no final status"))?;
        for (name, from) in &self.headers {
            if let Some(value) = value(exchange, from) {
                answer.add(name, value.as_bytes());
            }
        }
        let accept = exchange.header("accept").unwrap_or_default().split(',').next().unwrap_or_default();
        let of_type = |wanted: &str| self.bodies.iter().find(|(media_type, ..)| media_type == wanted);
        if let Some((_, content_type, body)) =
            of_type(accept).or_else(|| of_type(JSON)).or(self.bodies.first())
        {
            answer.body = body.clone();
            if let Some(content_type) = content_type {
                answer.headers.entry(header::CONTENT_TYPE).or_insert_with(|| content_type.clone());
            }
        }
        Ok(answer)
    }
}

/// The value of a mapping; a mock has no backend whose answer or request one could be taken from.
fn value(exchange: &Exchange, from: &Expression) -> Option<String> {
    match from {
        Expression::Text(text) => Some(text.clone()),
        Expression::StageVariable(name) => exchange.stage()?.variables.get(name).cloned(),
        Expression::Context(name) => event::variable(exchange, name),
        Expression::Header(_) | Expression::Query(_) | Expression::Path(_) => None,
    }
}
