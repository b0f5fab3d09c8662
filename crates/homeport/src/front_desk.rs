//! Where a running server takes commands' questions: loopback, and the token of its one start (security decision 30).

use std::sync::Arc;

use homeport_service::{Body, BoxError, collect, full};
use homeport_vault::Vault;
use http::header::{AUTHORIZATION, CONTENT_TYPE, ORIGIN};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use http_body_util::BodyExt;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::error::ProgramError;
use crate::office::{Action, Office};
use crate::server_file::ServerFile;

/// The path of all questions.
pub(crate) const PATH: &str = "/_homeport/command";
/// The longest question, in bytes.
const MOST_BYTES: usize = 64 * 1024;
/// The longest answer: an outbox.
const MOST_ANSWERED: usize = 64 << 20;

/// Takes questions.
pub(crate) struct FrontDesk {
    office: Office,
    token: String,
}

impl FrontDesk {
    pub(crate) fn new(office: Office, token: String) -> Arc<Self> {
        Arc::new(Self { office, token })
    }

    /// Answers a question; the listener is loopback's.
    pub(crate) async fn handle(&self, head: &Parts, body: Body) -> Response<Body> {
        let (status, answer) = match self.admit(head) {
            Err(status) => (status, json!({ "error": "this is for commands on this machine" })),
            Ok(()) => match self.answer(body).await {
                Ok(answer) => (StatusCode::OK, json!({ "answer": answer })),
                Err(error) => (StatusCode::CONFLICT, json!({ "error": error.to_string() })),
            },
        };
        let mut response = Response::new(full(answer.to_string()));
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
        response
    }

    /// The token, and no web page.
    fn admit(&self, head: &Parts) -> Result<(), StatusCode> {
        let given =
            head.headers.get(AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
        let right = given.is_some_and(|given| Vault::same_hash(given, self.token.as_bytes()));
        if !right || head.headers.contains_key(ORIGIN) {
            return Err(StatusCode::FORBIDDEN);
        }
        if head.method == Method::POST { Ok(()) } else { Err(StatusCode::METHOD_NOT_ALLOWED) }
    }

    async fn answer(&self, body: Body) -> Result<Value, ProgramError> {
        let refused = |error: BoxError| ProgramError::Server(error.to_string());
        let body = collect(body, MOST_BYTES).await.map_err(refused)?;
        let action: Action = serde_json::from_slice(&body).map_err(|error| refused(error.into()))?;
        self.office.answer(&action).await
    }
}

/// Asks the server of this file; `None` where it isn't there any more, or another program is in its place.
pub(crate) async fn ask(server: &ServerFile, action: &Action) -> Result<Option<Value>, ProgramError> {
    let Ok(tcp) = TcpStream::connect(server.commands).await else { return Ok(None) };
    let failed = |error: BoxError| ProgramError::Server(error.to_string());
    let question = serde_json::to_vec(action).map_err(|error| failed(error.into()))?;
    let request = http::Request::post(PATH)
        .header("host", server.commands.to_string())
        .header(AUTHORIZATION, format!("Bearer {}", server.token))
        .body(full(question))
        .map_err(|error| failed(error.into()))?;
    let Ok((mut sender, connection)) = hyper::client::conn::http1::handshake(TokioIo::new(tcp)).await else {
        return Ok(None);
    };
    tokio::spawn(connection);
    let Ok(response) = sender.send_request(request).await else { return Ok(None) };
    let (head, body) = response.into_parts();
    let body = collect(body.map_err(BoxError::from).boxed_unsync(), MOST_ANSWERED).await.map_err(failed)?;
    let answered = serde_json::from_slice::<Value>(&body).ok();
    match (head.status, answered) {
        (StatusCode::OK, Some(mut answered)) => Ok(Some(answered["answer"].take())),
        (StatusCode::CONFLICT, Some(answered)) => {
            let error = answered["error"].as_str().unwrap_or_default();
            Err(ProgramError::Refused(error.to_owned()))
        }
        _ => Ok(None),
    }
}
