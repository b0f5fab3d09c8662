//! The data plane: what answers calls of deployed APIs.
//!
//! [`DataPlane::walk`] is a call's way, step by step: stage → resource and method → resource policy and authorizer →
//! API key → throttles → body → integration. Whatever refuses, refuses as API Gateway's default gateway responses do.

mod access_log;
mod address;
mod answer;
mod cognito;
mod event;
mod exchange;
mod function_authorizer;
mod http_proxy;
mod lambda_proxy;
mod media;
mod mock;
mod policy;
mod refusal;
mod results;
mod router;
mod served;

use std::sync::Arc;

use bytes::Bytes;
use homeport_core::{BoxFuture, SharedClock, SharedRandomness};
use homeport_service::needs::{SignedCall, met};
use homeport_service::{Body, Needs, Parts, Peer, Permission, Plane, SharedRates, TooLong, collect};
use homeport_store::Store;
use http::{HeaderValue, Response, header};

use crate::limits::MAX_PAYLOAD;
use crate::method::IntegrationType;
use access_log::{AccessLogs, Entry};
use answer::Answer;
use exchange::Exchange;
use policy::Said;
use refusal::Refusal;
use results::Results;
use served::{Gate, Served, ServedMethod, Stages};

/// Serves deployed APIs.
pub(crate) struct DataPlane {
    stages: Stages,
    claims: Results<cognito::Claims>,
    judgements: Results<function_authorizer::Judgement>,
    logs: AccessLogs,
    store: Store,
    needs: Arc<Needs>,
    clock: SharedClock,
    randomness: SharedRandomness,
}

impl DataPlane {
    pub(crate) fn new(parts: &Parts) -> Self {
        Self {
            stages: Stages::follow(&parts.store, SharedRates::start(parts, "apigateway")),
            claims: Results::default(),
            judgements: Results::default(),
            logs: AccessLogs::start(parts.needs.clone()),
            store: parts.store.clone(),
            needs: parts.needs.clone(),
            clock: parts.clock.clone(),
            randomness: parts.randomness.clone(),
        }
    }

    async fn answer(&self, mut exchange: Exchange, body: Body, api: &str, stage: &str) -> Response<Body> {
        let outcome = self.walk(&mut exchange, body, api, stage).await;
        let mut response = match outcome {
            Ok(answer) => answer.response(),
            Err(refusal) => {
                if refusal.status >= 500 {
                    let cause = refusal.cause.as_deref().unwrap_or_default();
                    tracing::warn!(
                        request_id = exchange.request_id,
                        api,
                        stage,
                        kind = refusal.kind,
                        cause,
                        "a deployed API failed"
                    );
                }
                exchange.integration.error = refusal.cause.clone();
                let response = refusal.response();
                exchange.refusal = Some(refusal);
                response
            }
        };
        let headers = response.headers_mut();
        for (name, value) in [
            ("x-amzn-requestid", &exchange.request_id),
            ("x-amz-apigw-id", &exchange.extended_id),
            ("x-amzn-trace-id", &exchange.trace_id),
        ] {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        }
        if exchange.shared_host {
            answer::confine(headers);
        }
        self.log(&exchange, &response);
        response
    }

    /// A call's way through the gateway.
    async fn walk(
        &self,
        exchange: &mut Exchange,
        body: Body,
        api: &str,
        stage: &str,
    ) -> Result<Answer, Refusal> {
        let now = self.clock.now();
        let served = self.stages.get(&self.store, api, stage, now).await.map_err(Refusal::unavailable)?;
        let served = served.filter(|served| !served.disabled).ok_or_else(Refusal::forbidden)?;
        exchange.served = Some(served.clone());
        let found = served.router.find(&exchange.path).ok_or_else(Refusal::missing_authentication_token)?;
        exchange.resource = found.resource;
        exchange.parameters = found.parameters;
        let method = served.method(found.resource, exchange.head.method.as_str());
        let method = method.ok_or_else(Refusal::missing_authentication_token)?;
        // A signature covers the body, so for IAM it is read first; otherwise only what may pass is read.
        let mut body = Some(body);
        let mut whole = None;
        if matches!(method.gate, Gate::Iam) {
            whole = Some(read(body.take()).await?);
        }
        self.authorize(exchange, &served, method, whole.as_ref()).await?;
        if method.method.api_key_required {
            // No key is known: usage plans are not built.
            return Err(Refusal::forbidden());
        }
        let within = method.bucket.as_ref().is_none_or(|bucket| bucket.take(now));
        if !within || !served.account_bucket.take(now) {
            return Err(Refusal::throttled());
        }
        let whole = match whole {
            Some(whole) => whole,
            None => read(body.take()).await?,
        };
        self.integrate(exchange, &served, method, whole).await
    }

    async fn authorize(
        &self,
        exchange: &mut Exchange,
        served: &Served,
        method: &ServedMethod,
        body: Option<&Bytes>,
    ) -> Result<(), Refusal> {
        let said = served.policy.as_ref().map(|policy| policy::said(policy, exchange, served));
        if said == Some(Said::Denies) {
            return Err(policy::refusal(exchange, served, true));
        }
        let now = self.clock.now();
        match &method.gate {
            Gate::Open => {}
            Gate::Iam => return self.check_signature(exchange, served, body).await,
            Gate::Cognito(authorizer) => {
                let scopes = &method.method.authorization_scopes;
                let claims =
                    cognito::authorize(&self.needs, &self.claims, exchange, served, authorizer, scopes, now)
                        .await?;
                exchange.identity.authorizer = Some(claims);
            }
            Gate::Function(authorizer) => {
                let judged = function_authorizer::authorize(
                    &self.needs,
                    &self.judgements,
                    exchange,
                    served,
                    authorizer,
                    now,
                );
                let judged = judged.await;
                exchange.authorizer_latency = Some(self.clock.now().millis() - now.millis());
                exchange.identity.authorizer = Some(judged?);
                // In the same account the function's allow suffices.
                return Ok(());
            }
            Gate::Broken => {
                return Err(Refusal::authorizer("the method's authorizer is not in its deployment"));
            }
        }
        match said {
            None | Some(Said::Allows) => Ok(()),
            Some(Said::Nothing | Said::Denies) => Err(policy::refusal(exchange, served, false)),
        }
    }

    async fn check_signature(
        &self,
        exchange: &mut Exchange,
        served: &Served,
        body: Option<&Bytes>,
    ) -> Result<(), Refusal> {
        let empty = Bytes::new();
        let check = met(&self.needs.check_signature, "CheckSignature").map_err(Refusal::configuration)?;
        let call = SignedCall {
            head: &exchange.head,
            body: body.unwrap_or(&empty),
            peer: exchange.peer,
            service: "execute-api",
            region: &served.home.region,
        };
        let permission = Permission::new("execute-api:Invoke", exchange.method_arn());
        let caller = check.check_signature(call, vec![permission]).await.map_err(Refusal::of_signature)?;
        exchange.identity.caller = Some(caller);
        Ok(())
    }

    async fn integrate(
        &self,
        exchange: &mut Exchange,
        served: &Served,
        method: &ServedMethod,
        body: Bytes,
    ) -> Result<Answer, Refusal> {
        if let Some(mock) = &method.mock {
            return mock.answer(exchange, &body);
        }
        let integration = &method.integration;
        let began = self.clock.now();
        let answer = match integration.kind {
            IntegrationType::HttpProxy => {
                http_proxy::answer(&self.needs, exchange, served, integration, body).await
            }
            IntegrationType::AwsProxy | IntegrationType::Mock => {
                lambda_proxy::answer(&self.needs, exchange, served, integration, body).await
            }
        };
        exchange.integration.latency = Some(self.clock.now().millis() - began.millis());
        exchange.integration.status = match (&answer, integration.kind) {
            (Ok(answer), IntegrationType::HttpProxy) => Some(answer.status.as_u16()),
            (Ok(_), _) => Some(200),
            (Err(_), _) => None,
        };
        answer
    }

    fn log(&self, exchange: &Exchange, response: &Response<Body>) {
        let Some((served, log)) = exchange.stage().and_then(|served| Some((served, served.log.as_ref()?)))
        else {
            return;
        };
        let ended = self.clock.now();
        let line = log.format.line(|name| match name {
            "status" => Some(response.status().as_u16().to_string()),
            "responseLength" => Some(length(response).to_string()),
            "responseLatency" => Some((ended.millis() - exchange.started.millis()).to_string()),
            name => event::variable(exchange, name),
        });
        self.logs.put(Entry {
            region: served.home.region.clone(),
            group: log.group.clone(),
            stream: format!("{}/{}", served.home.api, served.stage),
            at: exchange.started,
            line,
        });
    }
}

fn length(response: &Response<Body>) -> u64 {
    http_body::Body::size_hint(response.body()).lower()
}

async fn read(body: Option<Body>) -> Result<Bytes, Refusal> {
    let Some(body) = body else { return Ok(Bytes::new()) };
    collect(body, MAX_PAYLOAD).await.map_err(|error| {
        if error.is::<TooLong>() {
            Refusal::too_large()
        } else {
            Refusal::bad_request("Bad Request").because(error)
        }
    })
}

impl Plane for DataPlane {
    fn claims(&self, head: &http::request::Parts, host: &str) -> bool {
        address::claims(head, host)
    }

    fn handle<'a>(
        &'a self,
        head: http::request::Parts,
        body: Body,
        peer: Peer,
    ) -> BoxFuture<'a, Response<Body>> {
        Box::pin(async move {
            let host = host_of(&head);
            let path = head.uri.path().to_owned();
            let (api, stage, rest, shared_host) = match address::address(&path, &host) {
                Some(found) => (found.api, found.stage, found.path, found.shared_host),
                None => ("", "", "/", true),
            };
            let place = (rest.to_owned(), shared_host);
            let exchange =
                Exchange::new(head, peer, host.clone(), place, self.clock.now(), &*self.randomness);
            self.answer(exchange, body, api, stage).await
        })
    }
}

/// The host without its port, in lower case; the front door has made sure that there is one.
fn host_of(head: &http::request::Parts) -> String {
    let authority = head.uri.authority().map(http::uri::Authority::as_str);
    let host = authority.or_else(|| head.headers.get(header::HOST).and_then(|value| value.to_str().ok()));
    let host = host.unwrap_or_default();
    let bare = match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    bare.to_ascii_lowercase()
}
