use std::sync::Arc;

use bytes::Bytes;
use homeport_core::{BoxFuture, Fault};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Asked, Body, CallContext, Caller, Cx, HandedRole, Permissions, Prepared};

/// What an operation does to the world: whether it is audited, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Reads the control plane: recorded by CloudTrail through a bounded batch.
    Reads,
    /// Changes the control plane: its audit row rides in the transaction of its effect.
    Writes,
    /// Reads data (items, objects): a data event, recorded only where a trail asks.
    ReadsData,
    /// Changes data, or invokes: a data event.
    WritesData,
}

/// One AWS operation, whole in one file: its name, what it needs to be allowed, its request and
/// response, and the typed function between them.
///
/// It checks no right, writes no audit row and knows no status code: the pipeline does. It changes state in
/// one [`Cx::write`], which may run more than once on conflict; so whatever talks to the world stands before
/// or after that closure.
pub trait Operation: Send + Sync + 'static {
    /// The service it belongs to: its collections, caches and needs.
    type Service: Send + Sync + 'static;
    /// The request, with just the members it uses, named as in AWS's model.
    type Input: Send + 'static;
    /// The response, named as in AWS's model.
    type Output: Send + 'static;
    /// The service's errors; its one `match` gives code, status and message.
    type Error: Into<Fault> + Send;

    /// AWS's name, such as `PutItem`.
    const NAME: &'static str;
    /// What it does to the world.
    const EFFECT: Effect;

    /// What the caller must be allowed. There is no default.
    fn permissions(asked: &Asked<'_, Self::Service>, input: &Self::Input) -> Permissions;

    /// The deed. Written as `fn … -> impl Future + Send { async move { … } }`, as the pipeline spawns it.
    fn run(
        cx: Cx<Self::Service>,
        input: Self::Input,
    ) -> impl Future<Output = Result<Self::Output, Self::Error>> + Send;

    /// What is answered when a role that is handed over does not admit the service that will use it.
    fn role_refused(role: &HandedRole) -> Fault {
        Fault::with_status(
            "InvalidParameterValueException",
            400,
            format!("The role {} cannot be assumed by {}.", role.role_arn, role.service),
        )
    }
}

/// A call as it arrived, for operations that read it by hand.
pub struct Call {
    /// The operation, as its model has it.
    pub operation: &'static homeport_wire::Operation,
    /// Method, raw target, headers.
    pub head: Arc<http::request::Parts>,
    /// The path, still percent-encoded, as REST models have it: for S3 always in path style (`/BUCKET/KEY`), also
    /// when the bucket stood in the host.
    pub path: String,
    /// The bucket, where the host names it.
    pub virtual_bucket: Option<String>,
    /// The body.
    pub body: CallBody,
    /// Who calls; authorized only later.
    pub caller: Arc<Caller>,
}

impl Call {
    /// A body in AWS JSON, read by the operation's model: its types are checked, its constraints are not.
    ///
    /// # Errors
    /// What is malformed or of the wrong type, in AWS's code and words.
    pub fn json(&self) -> Result<Value, Fault> {
        match &self.body {
            CallBody::Whole(body) => homeport_wire::parse_json(self.operation, body),
            CallBody::Stream(_) => Err(Fault::internal("a body in AWS JSON was not read")),
        }
    }
}

/// The body of a call.
pub enum CallBody {
    /// Read whole and verified.
    Whole(Bytes),
    /// Still arriving; its hash, chunks and trailer are verified as it is read, and its end is an error if they are wrong.
    Stream(Body),
}

/// What an operation answers.
pub enum Answer {
    /// By the model: encoded as the service's protocol says.
    Value(Value),
    /// A body of the service's JSON protocol, already encoded.
    Json(Bytes),
    /// A whole response, for services that write their own (S3).
    Response(http::Response<Body>),
}

/// An operation whose request and response are read and written by hand: hot paths and streams.
pub trait ByHand: Operation {
    /// Whether the body streams; otherwise it is read whole, within the service's bound, before `decode`.
    const STREAMS: bool = false;

    /// Reads the call.
    fn decode(call: Call) -> Result<Self::Input, Fault>;

    /// Writes the answer.
    fn encode(output: Self::Output) -> Result<Answer, Fault>;

    /// What CloudTrail may show of the request: never a secret.
    fn audited(_input: &Self::Input) -> Value {
        Value::Null
    }
}

/// What the pipeline hands to an operation's decoder.
pub enum Incoming {
    /// Decoded and validated by the model.
    Value(Value),
    /// As it came, for [`ByHand`] operations.
    Call(Box<Call>),
}

/// A row of a service's table: an operation with its types erased. The one place with boxed futures.
pub struct Entry<S> {
    /// AWS's name.
    pub name: &'static str,
    /// What it does to the world.
    pub effect: Effect,
    /// Whether it reads the call by hand, and then whether the body streams.
    pub by_hand: Option<Streams>,
    pub(crate) prepare: Prepare<S>,
}

/// Decodes a call into one that can run.
type Prepare<S> = fn(Arc<S>, Incoming) -> Result<Box<dyn Prepared>, Fault>;

/// Whether a [`ByHand`] operation's body streams.
pub type Streams = bool;

/// The row of an operation whose request and response go by the model.
pub const fn modelled<O>() -> Entry<O::Service>
where
    O: Operation,
    O::Input: DeserializeOwned,
    O::Output: Serialize,
{
    Entry { name: O::NAME, effect: O::EFFECT, by_hand: None, prepare: prepare_modelled::<O> }
}

/// The row of an operation that reads and writes by hand.
pub const fn by_hand<O: ByHand>() -> Entry<O::Service> {
    Entry { name: O::NAME, effect: O::EFFECT, by_hand: Some(O::STREAMS), prepare: prepare_by_hand::<O> }
}

struct Bound<O: Operation> {
    service: Arc<O::Service>,
    input: O::Input,
    encode: fn(O::Output) -> Result<Answer, Fault>,
    audited: Value,
}

fn prepare_modelled<O>(service: Arc<O::Service>, incoming: Incoming) -> Result<Box<dyn Prepared>, Fault>
where
    O: Operation,
    O::Input: DeserializeOwned,
    O::Output: Serialize,
{
    let Incoming::Value(value) = incoming else {
        return Err(Fault::internal("a modelled operation was handed a raw call"));
    };
    let input = serde_json::from_value(value).map_err(|error| {
        Fault::sender("SerializationException", "The request is not of the operation's shape.").because(error)
    })?;
    let encode = |output: O::Output| serde_json::to_value(output).map(Answer::Value).map_err(Fault::internal);
    Ok(Box::new(Bound::<O> { service, input, encode, audited: Value::Null }))
}

fn prepare_by_hand<O: ByHand>(
    service: Arc<O::Service>,
    incoming: Incoming,
) -> Result<Box<dyn Prepared>, Fault> {
    let Incoming::Call(call) = incoming else {
        return Err(Fault::internal("an operation that reads by hand was handed a value"));
    };
    let input = O::decode(*call)?;
    let audited = if O::EFFECT == Effect::Writes { O::audited(&input) } else { Value::Null };
    Ok(Box::new(Bound::<O> { service, input, encode: O::encode, audited }))
}

impl<O: Operation> Prepared for Bound<O> {
    fn permissions(&self, on: &crate::host::AskedOn<'_>) -> Permissions {
        let asked = Asked { service: &self.service, caller: on.caller, scope: on.scope, now: on.now };
        O::permissions(&asked, &self.input)
    }

    fn role_refused(&self, role: &HandedRole) -> Fault {
        O::role_refused(role)
    }

    fn audited(&mut self) -> Value {
        self.audited.take()
    }

    fn run(self: Box<Self>, call: Arc<CallContext>) -> BoxFuture<'static, Result<Answer, Fault>> {
        Box::pin(async move {
            let Self { service, input, encode, .. } = *self;
            let output = O::run(Cx::new(service, call), input).await.map_err(Into::into)?;
            encode(output)
        })
    }
}
