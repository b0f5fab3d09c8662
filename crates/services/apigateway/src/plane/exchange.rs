//! One call and what becomes known of it on its way: what events, policies and access logs are made from.

use std::net::IpAddr;
use std::sync::Arc;

use homeport_core::{Randomness, Timestamp};
use homeport_service::needs::{DEPTH_HEADER, MAX_INVOCATION_DEPTH};
use homeport_service::{Caller, Peer, Via};
use http::request::Parts;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::refusal::Refusal;
use super::served::Served;

/// A call on its way through the gateway.
pub(super) struct Exchange {
    /// Method, raw target, headers.
    pub(super) head: Parts,
    /// The other end.
    pub(super) peer: Peer,
    /// The host, without port.
    pub(super) host: String,
    /// The path behind the stage, raw.
    pub(super) path: String,
    /// Whether the host is shared with other content.
    pub(super) shared_host: bool,
    /// When it came.
    pub(super) started: Timestamp,
    /// `x-amzn-RequestId`
    pub(super) request_id: String,
    /// `x-amz-apigw-id`
    pub(super) extended_id: String,
    /// `X-Amzn-Trace-Id`
    pub(super) trace_id: String,
    /// What serves it, once found.
    pub(super) served: Option<Arc<Served>>,
    /// Which resource, once found.
    pub(super) resource: usize,
    /// The path's variables.
    pub(super) parameters: Vec<(String, String)>,
    /// Who calls, once known.
    pub(super) identity: Identity,
    /// Of the integration.
    pub(super) integration: IntegrationTimes,
    /// Milliseconds that the authorizer took.
    pub(super) authorizer_latency: Option<i64>,
    /// How it was refused.
    pub(super) refusal: Option<Refusal>,
}

/// How the integration did.
#[derive(Default)]
pub(super) struct IntegrationTimes {
    /// Its own status.
    pub(super) status: Option<u16>,
    /// Milliseconds.
    pub(super) latency: Option<i64>,
    /// What went wrong.
    pub(super) error: Option<String>,
}

/// Who calls, as the method's authorization found it.
#[derive(Default)]
pub(super) struct Identity {
    /// `requestContext.authorizer`, ready for the event.
    pub(super) authorizer: Option<Arc<Value>>,
    /// Of `AWS_IAM`.
    pub(super) caller: Option<Caller>,
}

impl Exchange {
    pub(super) fn new(
        head: Parts,
        peer: Peer,
        host: String,
        (path, shared_host): (String, bool),
        started: Timestamp,
        randomness: &dyn Randomness,
    ) -> Self {
        let mut random = [0_u8; 23];
        randomness.fill(&mut random);
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let extended = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &random[..11]);
        let given = head.headers.get("x-amzn-trace-id").and_then(|value| value.to_str().ok());
        let given = given.filter(|text| text.len() <= 256 && text.starts_with("Root="));
        let new_trace = || format!("Root=1-{:08x}-{}", started.seconds(), hex(&random[11..]));
        Self {
            peer,
            host,
            path,
            shared_host,
            started,
            request_id: homeport_core::uuid_v4(randomness),
            extended_id: extended,
            trace_id: given.map_or_else(new_trace, str::to_owned),
            head,
            served: None,
            resource: 0,
            parameters: Vec::new(),
            identity: Identity::default(),
            integration: IntegrationTimes::default(),
            authorizer_latency: None,
            refusal: None,
        }
    }

    /// The first value of a header, as text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The query string, raw.
    pub(super) fn query(&self) -> &str {
        self.head.uri.query().unwrap_or("")
    }

    /// The client's address.
    pub(super) fn source_ip(&self) -> IpAddr {
        self.peer.client
    }

    /// How many invocations of functions led here.
    pub(super) fn depth(&self) -> u8 {
        if self.peer.via != Via::Functions {
            return 0;
        }
        let text = self.header(DEPTH_HEADER);
        text.and_then(|text| text.parse().ok()).unwrap_or(0).min(MAX_INVOCATION_DEPTH)
    }

    /// Query parameters, decoded, in order.
    pub(super) fn query_parameters(&self) -> Vec<(String, String)> {
        let decode =
            |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
        let pairs = self.query().split('&').filter(|pair| !pair.is_empty());
        pairs
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(n, v)| (decode(n), decode(v)))
            .collect()
    }

    /// Headers as events have them: names in the capitals that clients write, values in order. The gateway's own
    /// inner header is not among them.
    pub(super) fn headers(&self) -> Vec<(String, String)> {
        let mut headers = Vec::with_capacity(self.head.headers.len() + 3);
        for (name, value) in &self.head.headers {
            let own = matches!(
                name.as_str(),
                DEPTH_HEADER
                    | "x-amzn-trace-id"
                    | "x-forwarded-for"
                    | "x-forwarded-port"
                    | "x-forwarded-proto"
            );
            if own {
                continue;
            }
            headers.push((capitals(name.as_str()), String::from_utf8_lossy(value.as_bytes()).into_owned()));
        }
        headers.push(("X-Amzn-Trace-Id".to_owned(), self.trace_id.clone()));
        headers.push(("X-Forwarded-For".to_owned(), self.source_ip().to_string()));
        headers.push(("X-Forwarded-Port".to_owned(), self.port().to_string()));
        headers.push((
            "X-Forwarded-Proto".to_owned(),
            if self.peer.secure { "https" } else { "http" }.to_owned(),
        ));
        headers
    }

    /// The port that the client asked.
    fn port(&self) -> u16 {
        let host =
            self.header("host").or_else(|| self.head.uri.authority().map(|authority| authority.as_str()));
        let named = host.and_then(|host| host.rsplit_once(':')).and_then(|(_, port)| port.parse().ok());
        named.unwrap_or(if self.peer.secure { 443 } else { 80 })
    }

    /// The stage that serves it.
    pub(super) fn stage(&self) -> Option<&Served> {
        self.served.as_deref()
    }

    /// `arn:aws:execute-api:REGION:ACCOUNT:API/STAGE/METHOD/PATH`, with the path that was asked for: decoded, and without
    /// a slash at its end, which leads to the same resource and so must not lead past a policy that denies it.
    pub(super) fn method_arn(&self) -> String {
        let Some(served) = self.stage() else { return String::new() };
        let path = percent_decode_str(self.path.trim_matches('/')).decode_utf8_lossy();
        format!("{}/{}/{}/{path}", served.home.execute_arn(), served.stage, self.head.method)
    }
}

/// `x-api-key` as most clients write it: `X-Api-Key`. (What a client really wrote is lost on HTTP/2 anyway.)
fn capitals(name: &str) -> String {
    let part = |part: &str| {
        let mut chars = part.chars();
        chars.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(chars).collect::<String>()
    };
    name.split('-').map(part).collect::<Vec<_>>().join("-")
}

/// An object of the last value of each name, and one of all values; nulls where there is none.
pub(super) fn single_and_multi(pairs: Vec<(String, String)>) -> (Value, Value) {
    if pairs.is_empty() {
        return (Value::Null, Value::Null);
    }
    let mut single = Map::new();
    let mut multi: std::collections::BTreeMap<String, Vec<Value>> = std::collections::BTreeMap::new();
    for (name, value) in pairs {
        multi.entry(name.clone()).or_default().push(Value::from(value.as_str()));
        single.insert(name, Value::from(value));
    }
    (
        Value::Object(single),
        Value::Object(multi.into_iter().map(|(name, all)| (name, Value::Array(all))).collect()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_have_their_capitals() {
        assert_eq!(capitals("content-type"), "Content-Type");
        assert_eq!(capitals("x-api-key"), "X-Api-Key");
    }

    #[test]
    fn the_last_value_wins_where_there_is_room_for_one() {
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        let (single, multi) = single_and_multi(vec![pair("a", "1"), pair("b", "2"), pair("a", "3")]);
        assert_eq!(single, serde_json::json!({"a": "3", "b": "2"}));
        assert_eq!(multi, serde_json::json!({"a": ["1", "3"], "b": ["2"]}));
        assert_eq!(single_and_multi(vec![]), (Value::Null, Value::Null));
    }
}
