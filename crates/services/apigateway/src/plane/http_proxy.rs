//! `HTTP_PROXY`: another HTTP server answers, reached through the connector that checks every address
//! (security decision 25).

use std::time::Duration;

use bytes::Bytes;
use homeport_service::needs::{FetchRefused, met};
use homeport_service::{Needs, collect};
use http::{HeaderName, HeaderValue, Method, Request};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::answer::{Answer, is_hop_by_hop};
use super::event;
use super::exchange::Exchange;
use super::refusal::Refusal;
use super::served::Served;
use crate::limits::MAX_PAYLOAD;
use crate::mapping::{Expression, with_stage_variables};
use crate::method::Integration;

const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const PATH: &AsciiSet = &SEGMENT.remove(b'/');

/// Sends the request on and gives the answer.
pub(super) async fn answer(
    needs: &Needs,
    exchange: &Exchange,
    served: &Served,
    integration: &Integration,
    body: Bytes,
) -> Result<Answer, Refusal> {
    let request = request(exchange, served, integration, body)?;
    let fetch = met(&needs.fetch, "Fetch").map_err(Refusal::configuration)?;
    let time = Duration::from_millis(integration.timeout_in_millis.unsigned_abs());
    let exchanged = tokio::time::timeout(time, async {
        let response = fetch.fetch(request, time).await.map_err(refused)?;
        let (head, body) = response.into_parts();
        let body = collect(body, MAX_PAYLOAD).await.map_err(Refusal::integration_failed)?;
        Ok((head, body))
    });
    let (head, body) = exchanged.await.map_err(|_| Refusal::timed_out())??;
    let mut answer =
        Answer::new(head.status.as_u16()).ok_or_else(|| Refusal::bad_gateway("no final status"))?;
    for (name, value) in &head.headers {
        if name != http::header::CONTENT_LENGTH && !is_hop_by_hop(name.as_str()) {
            answer.add(name.as_str(), value.as_bytes());
        }
    }
    answer.body = body;
    Ok(answer)
}

fn refused(refused: FetchRefused) -> Refusal {
    match refused {
        FetchRefused::TimedOut => Refusal::timed_out(),
        other => Refusal::integration_failed(other),
    }
}

fn request(
    exchange: &Exchange,
    served: &Served,
    integration: &Integration,
    body: Bytes,
) -> Result<Request<Bytes>, Refusal> {
    let method = match integration.http_method.as_deref() {
        None | Some("ANY") => exchange.head.method.clone(),
        Some(name) => Method::from_bytes(name.as_bytes()).map_err(Refusal::configuration)?,
    };
    let uri = uri(exchange, served, integration)?;
    let mut request = Request::builder()
        .method(method)
        .uri(uri)
        .body(body)
        .map_err(|_| Refusal::bad_request("Invalid request"))?;
    let headers = request.headers_mut();
    for (name, value) in &exchange.head.headers {
        let own = matches!(name.as_str(), "host" | "content-length" | "x-forwarded-for" | "x-amzn-trace-id");
        if !own && !is_hop_by_hop(name.as_str()) {
            headers.append(name.clone(), value.clone());
        }
    }
    let forwarded = exchange.source_ip().to_string();
    let set = [("x-forwarded-for", forwarded.as_str()), ("x-amzn-trace-id", exchange.trace_id.as_str())];
    let mapped = integration.request_parameters.iter().filter_map(|(to, from)| {
        Some((to.strip_prefix("integration.request.header.")?, value(exchange, served, from)?))
    });
    let mapped: Vec<(&str, String)> = mapped.collect();
    for (name, value) in set.into_iter().chain(mapped.iter().map(|(name, value)| (*name, value.as_str()))) {
        let lower = name.to_ascii_lowercase();
        if is_hop_by_hop(&lower) || matches!(lower.as_str(), "host" | "content-length") {
            continue;
        }
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(lower.as_bytes()), HeaderValue::from_str(value))
        {
            headers.insert(name, value);
        }
    }
    Ok(request)
}

/// The backend's URI: stage variables and path parameters put in, the query passed on, mapped parameters added.
fn uri(exchange: &Exchange, served: &Served, integration: &Integration) -> Result<String, Refusal> {
    let template = integration.uri.as_deref().and_then(|uri| with_stage_variables(uri, &served.variables));
    let mut uri =
        template.ok_or_else(|| Refusal::configuration("the URI names an unknown stage variable"))?;
    let mut query = exchange.query().to_owned();
    for (to, from) in &integration.request_parameters {
        let Some(value) = value(exchange, served, from) else { continue };
        if let Some(name) = to.strip_prefix("integration.request.path.") {
            let greedy = uri.contains(&format!("{{{name}+}}")) || is_greedy(exchange, served, from);
            if value.split('/').any(|part| matches!(part, "." | "..")) {
                return Err(Refusal::bad_request("Invalid path parameter"));
            }
            let encoded = utf8_percent_encode(&value, if greedy { PATH } else { SEGMENT }).to_string();
            uri = uri.replace(&format!("{{{name}}}"), &encoded).replace(&format!("{{{name}+}}"), &encoded);
        } else if let Some(name) = to.strip_prefix("integration.request.querystring.") {
            let separator = if query.is_empty() { "" } else { "&" };
            let name = utf8_percent_encode(name, SEGMENT);
            query = format!("{query}{separator}{name}={}", utf8_percent_encode(&value, SEGMENT));
        }
    }
    if uri.contains(['{', '}']) {
        return Err(Refusal::configuration("the URI has a parameter that nothing is mapped to"));
    }
    let separator = if uri.contains('?') { '&' } else { '?' };
    Ok(if query.is_empty() { uri } else { format!("{uri}{separator}{query}") })
}

fn is_greedy(exchange: &Exchange, served: &Served, from: &str) -> bool {
    let resource = served.resources.get(exchange.resource).map_or("", |resource| resource.path.as_str());
    matches!(Expression::parse(from), Some(Expression::Path(name)) if resource.ends_with(&format!("{{{name}+}}")))
}

fn value(exchange: &Exchange, served: &Served, from: &str) -> Option<String> {
    match Expression::parse(from)? {
        Expression::Text(text) => Some(text),
        Expression::Header(name) => exchange.header(&name.to_ascii_lowercase()).map(str::to_owned),
        Expression::Query(name) => {
            let parameters = exchange.query_parameters();
            parameters.into_iter().rev().find(|(known, _)| *known == name).map(|(_, value)| value)
        }
        Expression::Path(name) => {
            exchange.parameters.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
        }
        Expression::StageVariable(name) => served.variables.get(&name).cloned(),
        Expression::Context(name) => event::variable(exchange, &name),
    }
}
