use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use homeport_core::Fault;
use homeport_service::{
    Answer, Asked, ByHand, Call, CallBody, Cx, Effect, KeptCaller, Operation, Permissions, Principal, full,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

use crate::invoke::{Asking, LARGEST_EVENT, LARGEST_QUEUED_EVENT};
use crate::names::{Named, asked_arn};
use crate::queue::By;
use crate::{Lambda, LambdaError};

/// `Invoke` (Lambda API reference). Read and written by hand: events and answers pass as they are.
pub(crate) struct Invoke;

pub(crate) struct Input {
    function_name: String,
    qualifier: Option<String>,
    kind: Kind,
    tail: bool,
    client_context: Option<String>,
    trace_id: Option<String>,
    payload: Bytes,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    RequestResponse,
    Event,
    DryRun,
}

pub(crate) struct Output {
    status: StatusCode,
    payload: Bytes,
    version: Option<String>,
    failed: bool,
    tail: Option<String>,
}

impl Operation for Invoke {
    type Service = Lambda;
    type Input = Input;
    type Output = Output;
    type Error = LambdaError;

    const NAME: &'static str = "Invoke";
    const EFFECT: Effect = Effect::WritesData;

    fn permissions(asked: &Asked<'_, Lambda>, input: &Input) -> Permissions {
        let arn = asked_arn(asked.scope, &input.function_name, input.qualifier.as_deref());
        Permissions::one("lambda:InvokeFunction", arn)
    }

    fn run(cx: Cx<Lambda>, input: Input) -> impl Future<Output = Result<Output, LambdaError>> + Send {
        async move {
            let named = Named::read(cx.scope(), &input.function_name, input.qualifier.as_deref())?;
            check_payload(&input)?;
            match input.kind {
                Kind::DryRun => {
                    cx.service.find(cx.scope(), &named).await?;
                    Ok(Output::empty(StatusCode::NO_CONTENT))
                }
                Kind::Event => {
                    queue(&cx, &named, &asking(&cx, input)).await?;
                    Ok(Output::empty(StatusCode::ACCEPTED))
                }
                Kind::RequestResponse => {
                    let done = cx.service.run(cx.scope(), &named, asking(&cx, input)).await?;
                    Ok(Output {
                        status: StatusCode::OK,
                        payload: done.outcome.payload,
                        version: Some(done.version),
                        failed: done.outcome.failed,
                        tail: done.outcome.tail,
                    })
                }
            }
        }
    }
}

/// In the call's own transaction, which holds the decision: a right or a function that is gone by now queues nothing.
async fn queue(cx: &Cx<Lambda>, named: &Named, asking: &Asking) -> Result<(), LambdaError> {
    let by = &By::Caller(Box::new(KeptCaller::of(cx.caller())));
    cx.write(|tx| async move { cx.service.enqueue(&tx, cx.scope(), named, asking, by).await }).await?;
    cx.service.look_at_queue();
    Ok(())
}

impl Output {
    fn empty(status: StatusCode) -> Self {
        Self { status, payload: Bytes::new(), version: None, failed: false, tail: None }
    }
}

fn asking(cx: &Cx<Lambda>, input: Input) -> Asking {
    Asking {
        request_id: cx.request_id().to_owned(),
        payload: input.payload,
        trace_id: input.trace_id,
        client_context: input.client_context,
        cognito_identity: cognito_identity(cx.principal()),
        tail: input.tail,
        depth: cx.depth(),
        function_id: None,
    }
}

/// Who of an identity pool calls, as the Runtime API tells it.
fn cognito_identity(principal: &Principal) -> Option<String> {
    let Principal::Role(session) = principal else { return None };
    let cognito = session.cognito.as_ref()?;
    let told = json!({
        "cognitoIdentityId": cognito.identity_id,
        "cognitoIdentityPoolId": cognito.identity_pool_id,
    });
    Some(told.to_string())
}

fn check_payload(input: &Input) -> Result<(), LambdaError> {
    let (kind, largest) = match input.kind {
        Kind::Event => ("Event", LARGEST_QUEUED_EVENT),
        Kind::RequestResponse | Kind::DryRun => ("RequestResponse", LARGEST_EVENT),
    };
    if input.payload.len() > largest {
        return Err(LambdaError::RequestTooLarge(input.payload.len(), kind, largest));
    }
    if input.payload.is_empty() {
        return Ok(());
    }
    serde_json::from_slice::<serde::de::IgnoredAny>(&input.payload)
        .map(|_| ())
        .map_err(|error| LambdaError::InvalidRequestContent(error.to_string()))
}

impl ByHand for Invoke {
    fn decode(call: Call) -> Result<Input, Fault> {
        let CallBody::Whole(payload) = call.body else {
            return Err(Fault::internal("the event was not read whole"));
        };
        let encoded = call
            .path
            .strip_prefix("/2015-03-31/functions/")
            .and_then(|rest| rest.strip_suffix("/invocations"));
        let function_name = encoded.and_then(decoded).ok_or_else(|| Fault::internal("not Invoke's path"))?;
        let qualifier = query(call.head.uri.query().unwrap_or_default(), "Qualifier");
        let headers = &call.head.headers;
        let kind = match text(headers, "x-amz-invocation-type")?.as_deref() {
            None | Some("RequestResponse") => Kind::RequestResponse,
            Some("Event") => Kind::Event,
            Some("DryRun") => Kind::DryRun,
            Some(other) => {
                return Err(not_one_of("invocationType", other, "[Event, RequestResponse, DryRun]"));
            }
        };
        let tail = match text(headers, "x-amz-log-type")?.as_deref() {
            None | Some("None") => false,
            Some("Tail") => true,
            Some(other) => return Err(not_one_of("logType", other, "[None, Tail]")),
        };
        let client_context =
            text(headers, "x-amz-client-context")?.map(|text| client_context(&text)).transpose()?;
        let trace_id = text(headers, "x-amzn-trace-id")?;
        Ok(Input { function_name, qualifier, kind, tail, client_context, trace_id, payload })
    }

    fn encode(output: Output) -> Result<Answer, Fault> {
        let mut response = Response::new(full(output.payload));
        *response.status_mut() = output.status;
        let headers = response.headers_mut();
        if output.status == StatusCode::OK {
            headers.insert("content-type", HeaderValue::from_static("application/json"));
        }
        if output.failed {
            headers.insert("x-amz-function-error", HeaderValue::from_static("Unhandled"));
        }
        if let Some(Ok(version)) = output.version.as_deref().map(HeaderValue::from_str) {
            headers.insert("x-amz-executed-version", version);
        }
        if let Some(Ok(tail)) = output.tail.map(|tail| HeaderValue::from_str(&STANDARD.encode(tail))) {
            headers.insert("x-amz-log-result", tail);
        }
        Ok(Answer::Response(response))
    }

    fn audited(input: &Input) -> Value {
        json!({"functionName": input.function_name, "qualifier": input.qualifier})
    }
}

fn text(headers: &HeaderMap, name: &str) -> Result<Option<String>, Fault> {
    let invalid =
        || Fault::sender("InvalidParameterValueException", format!("The header {name} is not valid."));
    headers.get(name).map(|value| value.to_str().map(ToOwned::to_owned).map_err(|_| invalid())).transpose()
}

fn not_one_of(member: &str, value: &str, allowed: &str) -> Fault {
    Fault::sender(
        "ValidationException",
        format!(
            "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must satisfy enum value set: {allowed}"
        ),
    )
}

/// It comes as Base64 of JSON.
fn client_context(text: &str) -> Result<String, Fault> {
    let invalid = || {
        Fault::sender(
            "InvalidRequestContentException",
            "Client context must be a valid Base64-encoded JSON object.",
        )
    };
    let json = STANDARD.decode(text).map_err(|_| invalid())?;
    let value: Value = serde_json::from_slice(&json).map_err(|_| invalid())?;
    if value.is_object() { Ok(value.to_string()) } else { Err(invalid()) }
}

fn decoded(text: &str) -> Option<String> {
    percent_encoding::percent_decode_str(text).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

fn query(query: &str, name: &str) -> Option<String> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.into_iter().find(|(key, _)| *key == name).and_then(|(_, value)| decoded(value))
}
