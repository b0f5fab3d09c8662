//! The events that functions get, and the `$context` variables.

use homeport_service::{CognitoSession, Principal};
use serde_json::{Map, Value, json};

use super::exchange::{Exchange, single_and_multi};
use super::served::Served;

/// The event of a Lambda proxy integration (format 1.0; Lambda developer guide, "Using AWS Lambda with API Gateway").
/// `body`: the text and whether it is base64.
pub(super) fn proxy(exchange: &Exchange, served: &Served, body: Option<(String, bool)>) -> Value {
    let mut event = common(exchange, served);
    let (body, is_base64) =
        body.map_or((Value::Null, false), |(text, is_base64)| (Value::from(text), is_base64));
    event.insert("body".to_owned(), body);
    event.insert("isBase64Encoded".to_owned(), Value::from(is_base64));
    Value::Object(event)
}

/// The event of a `REQUEST` authorizer.
pub(super) fn authorizer_request(exchange: &Exchange, served: &Served, method_arn: &str) -> Value {
    let mut event = common(exchange, served);
    event.insert("type".to_owned(), Value::from("REQUEST"));
    event.insert("methodArn".to_owned(), Value::from(method_arn));
    Value::Object(event)
}

fn common(exchange: &Exchange, served: &Served) -> Map<String, Value> {
    let (headers, multi_headers) = single_and_multi(exchange.headers());
    let (query, multi_query) = single_and_multi(exchange.query_parameters());
    let parameters: Map<String, Value> =
        exchange.parameters.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
    let variables: Map<String, Value> =
        served.variables.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
    let resource = served.resources.get(exchange.resource).map_or("", |resource| resource.path.as_str());
    let mut event = Map::new();
    let mut put = |name: &str, value: Value| event.insert(name.to_owned(), value);
    put("resource", Value::from(resource));
    put("path", Value::from(exchange.path.as_str()));
    put("httpMethod", Value::from(exchange.head.method.as_str()));
    put("headers", headers);
    put("multiValueHeaders", multi_headers);
    put("queryStringParameters", query);
    put("multiValueQueryStringParameters", multi_query);
    put("pathParameters", or_null(parameters));
    put("stageVariables", or_null(variables));
    put("requestContext", request_context(exchange, served));
    event
}

fn or_null(map: Map<String, Value>) -> Value {
    if map.is_empty() { Value::Null } else { Value::Object(map) }
}

fn request_context(exchange: &Exchange, served: &Served) -> Value {
    let resource = served.resources.get(exchange.resource);
    let method = served.method(exchange.resource, exchange.head.method.as_str());
    let mut context = json!({
        "accountId": served.home.account.to_string(),
        "apiId": served.home.api,
        "deploymentId": served.deployment_id,
        "domainName": exchange.host,
        "domainPrefix": exchange.host.split('.').next().unwrap_or_default(),
        "extendedRequestId": exchange.extended_id,
        "httpMethod": exchange.head.method.as_str(),
        "identity": identity(exchange),
        "path": format!("/{}{}", served.stage, exchange.path),
        "protocol": protocol(exchange),
        "requestId": exchange.request_id,
        "requestTime": clf_time(exchange),
        "requestTimeEpoch": exchange.started.millis(),
        "resourceId": resource.map_or("", |resource| &resource.id),
        "resourcePath": resource.map_or("", |resource| &resource.path),
        "stage": served.stage,
    });
    if let Some(name) = method.and_then(|method| method.method.operation_name.as_deref()) {
        context["operationName"] = Value::from(name);
    }
    if let Some(authorizer) = &exchange.identity.authorizer {
        context["authorizer"] = Value::clone(authorizer);
    }
    context
}

fn identity(exchange: &Exchange) -> Value {
    let caller = exchange.identity.caller.as_ref();
    let account = exchange.stage().map(|served| served.home.account);
    let arn = caller.zip(account).and_then(|(caller, account)| caller.principal.arn(account));
    let user_id = caller.and_then(|caller| caller.principal.user_id());
    let cognito = caller.and_then(|caller| match &caller.principal {
        Principal::Role(session) => session.cognito.as_ref(),
        _ => None,
    });
    let of_cognito = |value: fn(&CognitoSession) -> Option<&str>| cognito.and_then(value);
    let authenticated =
        cognito.map(|session| if session.provider.is_some() { "authenticated" } else { "unauthenticated" });
    json!({
        "accessKey": caller.and_then(|caller| caller.access_key_id.as_deref()),
        "accountId": arn.as_ref().and(account).map(|account| account.to_string()),
        "caller": user_id,
        "cognitoAuthenticationProvider": of_cognito(|session| session.provider.as_deref()),
        "cognitoAuthenticationType": authenticated,
        "cognitoIdentityId": of_cognito(|session| Some(&session.identity_id)),
        "cognitoIdentityPoolId": of_cognito(|session| Some(&session.identity_pool_id)),
        "principalOrgId": null,
        "sourceIp": exchange.source_ip().to_string(),
        "user": user_id,
        "userAgent": exchange.header("user-agent"),
        "userArn": arn.map(|arn| arn.to_string()),
    })
}

fn protocol(exchange: &Exchange) -> String {
    format!("{:?}", exchange.head.version)
}

/// `21/Nov/2026:01:02:03 +0000`
fn clf_time(exchange: &Exchange) -> String {
    let at = exchange.started.date_time();
    let month = at.month().to_string();
    format!(
        "{:02}/{}/{}:{:02}:{:02}:{:02} +0000",
        at.day(),
        &month[..3],
        at.year(),
        at.hour(),
        at.minute(),
        at.second()
    )
}

/// The value of `$context.NAME`, as far as it is known before the answer is; never a token or key.
pub(super) fn variable(exchange: &Exchange, name: &str) -> Option<String> {
    let text = |text: &str| Some(text.to_owned());
    let served = exchange.stage();
    match name {
        "requestId" => text(&exchange.request_id),
        "extendedRequestId" => text(&exchange.extended_id),
        "xrayTraceId" => text(&exchange.trace_id),
        "httpMethod" => text(exchange.head.method.as_str()),
        "protocol" => Some(protocol(exchange)),
        "requestTime" => Some(clf_time(exchange)),
        "requestTimeEpoch" => Some(exchange.started.millis().to_string()),
        "domainName" => text(&exchange.host),
        "domainPrefix" => text(exchange.host.split('.').next().unwrap_or_default()),
        "path" => served.map(|served| format!("/{}{}", served.stage, exchange.path)),
        "stage" => served.map(|served| served.stage.clone()),
        "apiId" => served.map(|served| served.home.api.clone()),
        "accountId" => served.map(|served| served.home.account.to_string()),
        "deploymentId" => served.map(|served| served.deployment_id.clone()),
        "resourcePath" => served?.resources.get(exchange.resource).map(|resource| resource.path.clone()),
        "resourceId" => served?.resources.get(exchange.resource).map(|resource| resource.id.clone()),
        "identity.apiKey" | "identity.accessKey" => None,
        "error.message" => exchange.refusal.as_ref()?.message.clone(),
        "error.messageString" => Some(exchange.refusal.as_ref()?.message_string()),
        "error.responseType" => text(exchange.refusal.as_ref()?.kind),
        "integrationErrorMessage" | "integration.error" => exchange.integration.error.clone(),
        "integration.integrationStatus" | "integration.status" | "integrationStatus" => {
            exchange.integration.status.map(|status| status.to_string())
        }
        "integrationLatency" | "integration.latency" => exchange.integration.latency.map(|ms| ms.to_string()),
        "authorizer.latency" | "authorizer.integrationLatency" => {
            exchange.authorizer_latency.map(|ms| ms.to_string())
        }
        _ => nested(exchange, name),
    }
}

fn nested(exchange: &Exchange, name: &str) -> Option<String> {
    let value = if let Some(name) = name.strip_prefix("identity.") {
        identity(exchange).get(name)?.clone()
    } else {
        let name = name.strip_prefix("authorizer.")?;
        let authorizer = exchange.identity.authorizer.as_ref()?;
        match name.strip_prefix("claims.") {
            Some(claim) => authorizer.get("claims")?.get(claim)?.clone(),
            None => authorizer.get(name)?.clone(),
        }
    };
    match value {
        Value::Null | Value::Object(_) | Value::Array(_) => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    }
}
