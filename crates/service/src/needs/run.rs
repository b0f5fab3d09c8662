use bytes::Bytes;
use homeport_core::BoxFuture;

use super::On;

/// How a function is invoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvokeKind {
    /// And its answer awaited.
    RequestResponse,
    /// Queued durably; it will run.
    Event,
}

/// One invocation on behalf of a service.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// The function's ARN, with or without qualifier.
    pub function_arn: String,
    /// The event, at most 6 MiB of JSON (256 KiB for [`InvokeKind::Event`]).
    pub payload: Bytes,
    /// Whether to wait.
    pub kind: InvokeKind,
    /// `X-Amzn-Trace-Id`, passed on to the function.
    pub trace_id: Option<String>,
}

/// What a function answered.
#[derive(Clone, Debug)]
pub struct Invoked {
    /// The answer, or the error object when `function_error` is set; empty for [`InvokeKind::Event`].
    pub payload: Bytes,
    /// `Handled` or `Unhandled` when the function failed.
    pub function_error: Option<&'static str>,
}

/// Why a function was not invoked.
#[derive(Debug, thiserror::Error)]
pub enum InvokeRefused {
    /// No such function or qualifier.
    #[error("the function does not exist")]
    NotFound,
    /// The function's resource policy does not let this service invoke it for this source.
    #[error("the function's policy does not permit this invocation")]
    NotPermitted,
    /// Too many are running.
    #[error("too many concurrent invocations")]
    Throttled,
    /// The chain of invocations is too long.
    #[error("functions invoke each other too deeply")]
    TooDeep,
    /// The event is too large.
    #[error("the event is too large")]
    TooLarge,
    /// The machine can't run functions, or something broke here.
    #[error("{0}")]
    Internal(String),
}

/// Event → function → answer.
pub trait Invoke: Send + Sync {
    /// Evaluates the function's resource policy against `on`, then runs it.
    fn invoke<'a>(&'a self, on: On, invocation: Invocation) -> BoxFuture<'a, Result<Invoked, InvokeRefused>>;
}
