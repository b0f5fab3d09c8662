//! The Lambda Runtime API, version 2018-06-01, for one process.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::{Mutex as AsyncMutex, Notify, Semaphore, mpsc, oneshot, watch};

use super::Invocation;

/// Bytes of an answer.
const LARGEST_ANSWER: usize = 6_291_556;
/// Connections of one process to its API.
const MOST_CONNECTIONS: usize = 16;
const PREFIX: &str = "/2018-06-01/runtime/";

/// An event on its way to the process.
pub(super) struct Event {
    pub(super) invocation: Invocation,
    /// Milliseconds since 1970.
    pub(super) deadline: i64,
    pub(super) reply: oneshot::Sender<Answered>,
}

/// What the process answered.
pub(super) enum Answered {
    Response(Bytes),
    Error(Bytes),
}

/// The API's state.
pub(super) struct RuntimeApi {
    give: mpsc::Sender<Event>,
    events: AsyncMutex<mpsc::Receiver<Event>>,
    current: Mutex<Option<Current>>,
    ready: watch::Sender<bool>,
    init_error: Mutex<Option<Bytes>>,
    init_failed: Notify,
}

struct Current {
    request_id: String,
    reply: oneshot::Sender<Answered>,
}

type Reply = Response<Full<Bytes>>;

impl RuntimeApi {
    pub(super) fn new() -> Arc<Self> {
        let (give, events) = mpsc::channel(1);
        Arc::new(Self {
            give,
            events: AsyncMutex::new(events),
            current: Mutex::default(),
            ready: watch::Sender::new(false),
            init_error: Mutex::default(),
            init_failed: Notify::new(),
        })
    }

    /// Gives the process an event; false when it will take none.
    pub(super) async fn give(&self, event: Event) -> bool {
        self.give.send(event).await.is_ok()
    }

    /// Until the process first asks for an event.
    pub(super) async fn ready(&self) {
        // The sender is this very value, so waiting ends only well.
        let _ = self.ready.subscribe().wait_for(|ready| *ready).await;
    }

    /// Until the process says that it can't be ready.
    pub(super) async fn init_failed(&self) -> Bytes {
        loop {
            self.init_failed.notified().await;
            if let Some(error) = self.take_init_error() {
                return error;
            }
        }
    }

    pub(super) fn take_init_error(&self) -> Option<Bytes> {
        self.init_error.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Serves the process's connections for ever.
    pub(super) async fn serve(self: Arc<Self>, listener: TcpListener) {
        let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
        loop {
            let Ok(permit) = room.clone().acquire_owned().await else { return };
            let Ok((stream, _)) = listener.accept().await else { return };
            if stream.set_nodelay(true).is_err() {
                continue;
            }
            let api = self.clone();
            tokio::spawn(async move {
                let service = service_fn(|request| api.clone().handle(request));
                let connection = hyper::server::conn::http1::Builder::new()
                    .pipeline_flush(true)
                    .serve_connection(TokioIo::new(stream), service);
                if let Err(error) = connection.await {
                    tracing::debug!(%error, "a function's connection to its Runtime API ended");
                }
                drop(permit);
            });
        }
    }

    async fn handle(self: Arc<Self>, request: Request<Incoming>) -> Result<Reply, Infallible> {
        let (head, body) = request.into_parts();
        let parts: Vec<&str> = head.uri.path().strip_prefix(PREFIX).unwrap_or_default().split('/').collect();
        Ok(match (&head.method, &parts[..]) {
            (&Method::GET, ["invocation", "next"]) => self.next().await,
            (&Method::POST, ["invocation", id, "response"]) => match read(body).await {
                Ok(body) => self.answer(id, Answered::Response(body)),
                Err(TooLong::Yes) => self.too_long(id),
                Err(TooLong::Broken) => {
                    refuse(StatusCode::BAD_REQUEST, "InvalidRequest", "the body broke off")
                }
            },
            (&Method::POST, ["invocation", id, "error"]) => match read(body).await {
                Ok(body) => self.answer(id, Answered::Error(described(body, &head.headers))),
                Err(_) => {
                    refuse(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", "the error is too long")
                }
            },
            (&Method::POST, ["init", "error"]) => match read(body).await {
                Ok(body) => self.fail_init(described(body, &head.headers)),
                Err(_) => {
                    refuse(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", "the error is too long")
                }
            },
            _ => refuse(StatusCode::NOT_FOUND, "InvalidPath", "no such path"),
        })
    }

    async fn next(&self) -> Reply {
        self.ready.send_replace(true);
        let event = self.events.lock().await.recv().await;
        let Some(Event { invocation, deadline, reply }) = event else {
            return refuse(StatusCode::INTERNAL_SERVER_ERROR, "ServerError", "no more events come");
        };
        let Invocation {
            request_id, function_arn, payload, trace_id, client_context, cognito_identity, ..
        } = invocation;
        let mut response = Response::new(Full::new(payload));
        let headers = response.headers_mut();
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        headers.insert("lambda-runtime-deadline-ms", HeaderValue::from(deadline));
        let texts = [
            ("lambda-runtime-aws-request-id", Some(request_id.as_str())),
            ("lambda-runtime-invoked-function-arn", Some(function_arn.as_str())),
            ("lambda-runtime-trace-id", Some(trace_id.as_str())),
            ("lambda-runtime-client-context", client_context.as_deref()),
            ("lambda-runtime-cognito-identity", cognito_identity.as_deref()),
        ];
        for (name, text) in texts {
            if let Some(Ok(value)) = text.map(HeaderValue::from_str) {
                headers.insert(name, value);
            }
        }
        *self.current() = Some(Current { request_id, reply });
        response
    }

    fn answer(&self, id: &str, answered: Answered) -> Reply {
        let mut current = self.current();
        if current.as_ref().is_none_or(|current| current.request_id != id) {
            return refuse(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID");
        }
        if let Some(current) = current.take() {
            // Whoever waited may have given up: its time was over.
            let _ = current.reply.send(answered);
        }
        said(StatusCode::ACCEPTED, &json!({"status": "OK"}))
    }

    /// AWS's runtimes would report this themselves; it is the same to whoever invoked.
    fn too_long(&self, id: &str) -> Reply {
        let message =
            format!("Response payload size exceeded maximum allowed payload size ({LARGEST_ANSWER} bytes).");
        let error = json!({"errorType": "Function.ResponseSizeTooLarge", "errorMessage": message});
        self.answer(id, Answered::Error(error.to_string().into()));
        said(StatusCode::PAYLOAD_TOO_LARGE, &error)
    }

    fn fail_init(&self, error: Bytes) -> Reply {
        *self.init_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        self.init_failed.notify_one();
        said(StatusCode::ACCEPTED, &json!({"status": "OK"}))
    }

    fn current(&self) -> std::sync::MutexGuard<'_, Option<Current>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum TooLong {
    Yes,
    Broken,
}

async fn read(body: Incoming) -> Result<Bytes, TooLong> {
    match Limited::new(body, LARGEST_ANSWER).collect().await {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(TooLong::Yes),
        Err(_) => Err(TooLong::Broken),
    }
}

/// An error without a body is described by its header, as AWS does.
fn described(body: Bytes, headers: &HeaderMap) -> Bytes {
    if !body.is_empty() {
        return body;
    }
    let kind = headers
        .get("lambda-runtime-function-error-type")
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or("Unhandled");
    json!({"errorType": kind}).to_string().into()
}

fn said(status: StatusCode, body: &serde_json::Value) -> Reply {
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() = status;
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
    response
}

fn refuse(status: StatusCode, kind: &str, message: &str) -> Reply {
    said(status, &json!({"errorType": kind, "errorMessage": message}))
}
