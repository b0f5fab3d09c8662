//! Where a running server takes commands' questions: loopback, and the token of its one start, which each side shows
//! to know (security decision 30).

mod proof;

use std::sync::Arc;

use bytes::Bytes;
use homeport_core::Randomness;
use homeport_service::{Body, BoxError, collect, full};
use http::header::{CONTENT_TYPE, HeaderName, ORIGIN};
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};
use http_body_util::BodyExt;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::error::ProgramError;
use crate::office::{Action, Office};
use crate::randomness::OsRandomness;
use crate::server_file::ServerFile;
use proof::Side;

/// The path of all questions.
pub(crate) const PATH: &str = "/_homeport/command";
/// A number for one question, drawn by whoever asks: no answer fits another.
const NONCE: HeaderName = HeaderName::from_static("x-homeport-nonce");
/// That the token is known: [`proof`].
const PROOF: HeaderName = HeaderName::from_static("x-homeport-proof");
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
        let (status, answer) = match self.admit(head, body).await {
            Err(status) => (status, json!({ "error": "this is for commands on this machine" })),
            Ok(question) => match self.answer(&question).await {
                Ok(answer) => (StatusCode::OK, json!({ "answer": answer })),
                Err(error) => (StatusCode::CONFLICT, json!({ "error": error.to_string() })),
            },
        };
        let answer = answer.to_string();
        let proof = proof::of(&self.token, Side::Answers, header(head, NONCE), answer.as_bytes());
        let mut response = Response::new(full(answer));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.extend(HeaderValue::try_from(proof).ok().map(|proof| (PROOF, proof)));
        response
    }

    /// The question of one who knows the token, and is no web page.
    async fn admit(&self, head: &Parts, body: Body) -> Result<Bytes, StatusCode> {
        if head.headers.contains_key(ORIGIN) {
            return Err(StatusCode::FORBIDDEN);
        }
        let body = collect(body, MOST_BYTES).await.map_err(|_| StatusCode::FORBIDDEN)?;
        let (given, nonce) = (header(head, PROOF), header(head, NONCE));
        if !proof::is_right(given, &self.token, Side::Asks, nonce, &body) {
            return Err(StatusCode::FORBIDDEN);
        }
        if head.method == Method::POST { Ok(body) } else { Err(StatusCode::METHOD_NOT_ALLOWED) }
    }

    async fn answer(&self, question: &[u8]) -> Result<Value, ProgramError> {
        let action: Action =
            serde_json::from_slice(question).map_err(|error| ProgramError::Server(error.to_string()))?;
        self.office.answer(&action).await
    }
}

fn header(head: &Parts, name: HeaderName) -> &[u8] {
    head.headers.get(name).map(HeaderValue::as_bytes).unwrap_or_default()
}

/// Asks the server of this file; `None` where it isn't there any more, or another program is in its place.
pub(crate) async fn ask(server: &ServerFile, action: &Action) -> Result<Option<Value>, ProgramError> {
    let Ok(tcp) = TcpStream::connect(server.commands).await else { return Ok(None) };
    let failed = |error: BoxError| ProgramError::Server(error.to_string());
    let question = serde_json::to_vec(action).map_err(|error| failed(error.into()))?;
    let mut nonce = [0; 16];
    OsRandomness.fill(&mut nonce);
    let nonce = hex::encode(nonce);
    let request = http::Request::post(PATH)
        .header("host", server.commands.to_string())
        .header(NONCE, &nonce)
        .header(PROOF, proof::of(&server.token, Side::Asks, nonce.as_bytes(), &question))
        .body(full(question))
        .map_err(|error| failed(error.into()))?;
    let Ok((mut sender, connection)) = hyper::client::conn::http1::handshake(TokioIo::new(tcp)).await else {
        return Ok(None);
    };
    tokio::spawn(connection);
    let Ok(response) = sender.send_request(request).await else { return Ok(None) };
    let (head, body) = response.into_parts();
    let body = collect(body.map_err(BoxError::from).boxed_unsync(), MOST_ANSWERED).await.map_err(failed)?;
    let shown = head.headers.get(PROOF).map(HeaderValue::as_bytes).unwrap_or_default();
    if !proof::is_right(shown, &server.token, Side::Answers, nonce.as_bytes(), &body) {
        return Ok(None);
    }
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
