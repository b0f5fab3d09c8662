//! `CUSTOM`: a function is shown a token, or a whole request, and answers a policy, which is kept for a while.

use std::sync::Arc;

use homeport_core::{Account, Arn, Timestamp};
use homeport_policy::{
    Context, Decision, EvaluationSet, Policy, PolicyKind, PrincipalKind, PrincipalView, Request,
};
use homeport_policy::{ResourceSide, evaluate};
use homeport_service::Needs;
use homeport_service::needs::{Invocation, InvokeKind, On, met};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::event;
use super::exchange::Exchange;
use super::policy::context_of;
use super::refusal::Refusal;
use super::results::{Results, shown};
use super::served::{Served, ServedAuthorizer};
use crate::integration::function_arn;
use crate::limits::{AUTHORIZER_TTL, MAX_METHOD_ARN};
use crate::mapping::with_stage_variables;
use crate::records::AuthorizerType;

/// How long an authorizer's function may take.
const TIME: std::time::Duration = std::time::Duration::from_secs(29);

/// What a function judged: it holds for every method that shares the authorizer.
pub(super) struct Judgement {
    policy: Arc<Policy>,
    /// `{"principalId": …, …context}`
    authorizer: Arc<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    principal_id: Value,
    policy_document: Value,
    #[serde(default)]
    context: Option<Map<String, Value>>,
}

/// Asks the function, or remembers what it said, and holds its policy against the method.
pub(super) async fn authorize(
    needs: &Needs,
    results: &Results<Judgement>,
    exchange: &Exchange,
    served: &Served,
    authorizer: &ServedAuthorizer,
    now: Timestamp,
) -> Result<Arc<Value>, Refusal> {
    let method_arn = exchange.method_arn();
    if method_arn.len() > MAX_METHOD_ARN {
        return Err(Refusal::bad_request("Request URI too long"));
    }
    let sources = identity(exchange, served, authorizer)?;
    let mut parts: Vec<&[u8]> = vec![
        served.home.api.as_bytes(),
        served.stage.as_bytes(),
        served.deployment_id.as_bytes(),
        authorizer.authorizer.id.as_bytes(),
    ];
    let flushes = served.flushes.to_be_bytes();
    parts.push(&flushes);
    parts.extend(sources.iter().map(String::as_bytes));
    let key = shown(&parts);
    let judgement = match results.get(&key, now) {
        Some(judgement) => judgement,
        None => {
            let token = sources.first().map_or("", String::as_str);
            let judgement = Arc::new(ask(needs, exchange, served, authorizer, token, &method_arn).await?);
            let ttl = authorizer.authorizer.authorizer_result_ttl_in_seconds.unwrap_or(AUTHORIZER_TTL);
            if ttl > 0 {
                results.put(key, now.plus_seconds(ttl), now, judgement.clone());
            }
            judgement
        }
    };
    judge(&judgement, exchange, served.home.account, &method_arn)?;
    Ok(judgement.authorizer.clone())
}

/// The values that stand for the caller: each must be there, or the function is not asked.
fn identity(
    exchange: &Exchange,
    served: &Served,
    authorizer: &ServedAuthorizer,
) -> Result<Vec<String>, Refusal> {
    if authorizer.authorizer.kind == AuthorizerType::Token {
        let token = exchange.header(&authorizer.header).filter(|token| !token.is_empty());
        let token = token.ok_or_else(Refusal::unauthorized)?;
        if authorizer.expression.as_ref().is_some_and(|expression| !expression.is_match(token)) {
            return Err(Refusal::unauthorized());
        }
        return Ok(vec![token.to_owned()]);
    }
    let sources = authorizer.authorizer.identity_source.as_deref().unwrap_or_default();
    let query = exchange.query_parameters();
    let value = |source: &str| -> Option<String> {
        let found = if let Some(name) = source.strip_prefix("method.request.header.") {
            exchange.header(&name.to_ascii_lowercase()).map(str::to_owned)
        } else if let Some(name) = source.strip_prefix("method.request.querystring.") {
            query.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.clone())
        } else if let Some(name) = source.strip_prefix("stageVariables.") {
            served.variables.get(name).cloned()
        } else {
            event::variable(exchange, source.strip_prefix("context.")?)
        };
        found.filter(|value| !value.is_empty())
    };
    let sources = sources.split(',').map(str::trim).filter(|source| !source.is_empty());
    sources.map(value).collect::<Option<Vec<_>>>().ok_or_else(Refusal::unauthorized)
}

async fn ask(
    needs: &Needs,
    exchange: &Exchange,
    served: &Served,
    authorizer: &ServedAuthorizer,
    token: &str,
    method_arn: &str,
) -> Result<Judgement, Refusal> {
    let record = &authorizer.authorizer;
    let payload = match record.kind {
        AuthorizerType::Token => {
            json!({"type": "TOKEN", "methodArn": method_arn, "authorizationToken": token})
        }
        _ => event::authorizer_request(exchange, served, method_arn),
    };
    let uri = record.authorizer_uri.as_deref().and_then(|uri| with_stage_variables(uri, &served.variables));
    let function = uri.as_deref().and_then(function_arn).ok_or_else(|| Refusal::authorizer("no function"))?;
    let source = format!("{}/authorizers/{}", served.home.execute_arn(), record.id);
    let on = On {
        service: "apigateway.amazonaws.com",
        source_arn: Arn::parse(&source).map_err(Refusal::authorizer)?,
        source_account: served.home.account,
        depth: exchange.depth(),
    };
    let invocation = Invocation {
        function_arn: function.to_owned(),
        payload: payload.to_string().into(),
        kind: InvokeKind::RequestResponse,
        trace_id: Some(exchange.trace_id.clone()),
    };
    let invoke = met(&needs.invoke, "Invoke").map_err(Refusal::authorizer)?;
    let invoked = tokio::time::timeout(TIME, invoke.invoke(on, invocation)).await;
    let invoked = invoked.map_err(|_| Refusal::authorizer("the authorizer's function took too long"))?;
    let invoked = invoked.map_err(Refusal::authorizer)?;
    if invoked.function_error.is_some() {
        let error: Value = serde_json::from_slice(&invoked.payload).unwrap_or_default();
        if error["errorMessage"] == "Unauthorized" {
            return Err(Refusal::unauthorized());
        }
        return Err(Refusal::authorizer("the authorizer's function failed"));
    }
    read(&invoked.payload)
}

fn read(payload: &[u8]) -> Result<Judgement, Refusal> {
    let answer: Answer = serde_json::from_slice(payload)
        .map_err(|_| Refusal::authorizer("the authorizer's function answered no policy"))?;
    let policy = Policy::parse(&answer.policy_document.to_string(), PolicyKind::Identity)
        .map_err(|fault| Refusal::authorizer(format!("the authorizer's policy: {fault}")))?;
    let mut authorizer = answer.context.unwrap_or_default();
    if authorizer.values().any(|value| value.is_object() || value.is_array()) {
        return Err(Refusal::authorizer("the authorizer's context holds an object or a list"));
    }
    let principal = match &answer.principal_id {
        Value::String(id) => id.clone(),
        Value::Number(id) => id.to_string(),
        _ => return Err(Refusal::authorizer("the authorizer's principalId is no text")),
    };
    authorizer.insert("principalId".to_owned(), Value::from(principal));
    Ok(Judgement {
        policy: Arc::new(policy.named("the authorizer's policy")),
        authorizer: Arc::new(Value::Object(authorizer)),
    })
}

/// Deny beats allow, and what nothing allows is denied.
fn judge(
    judgement: &Judgement,
    exchange: &Exchange,
    account: Account,
    method_arn: &str,
) -> Result<(), Refusal> {
    let account = account.to_string();
    let principal = judgement.authorizer["principalId"].as_str().unwrap_or_default();
    let principal = PrincipalView {
        arn: principal,
        account: &account,
        user_id: principal,
        kind: PrincipalKind::FederatedUser,
    };
    let context: Context = context_of(exchange);
    let request = Request {
        principal: &principal,
        action: "execute-api:Invoke",
        resource: method_arn,
        context: &context,
    };
    let set = EvaluationSet {
        identity: std::slice::from_ref(&judgement.policy),
        boundary: None,
        session: &[],
        resource: ResourceSide::Silent,
        resource_account: &account,
    };
    let not_authorized = "User is not authorized to access this resource";
    match evaluate(&set, &request) {
        Decision::Allowed(_) => Ok(()),
        Decision::ImplicitDeny(_) => Err(Refusal::denied(not_authorized)),
        Decision::ExplicitDeny(_) => Err(Refusal::denied(format!("{not_authorized} with an explicit deny"))),
    }
}
