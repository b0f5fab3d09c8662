//! The way out of a network namespace: an HTTP proxy whose every request goes through the program's guarded connector.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use homeport_service::needs::{Fetch, FetchRefused};
use homeport_service::{Body, full};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// Requests of one environment at a time.
const MOST: usize = 64;
/// Bytes of a request's body.
const LARGEST: usize = 16 << 20;
const PATIENCE: Duration = Duration::from_secs(60);

/// Serves a listener for ever.
pub(super) async fn serve(listener: TcpListener, fetch: Arc<dyn Fetch>) {
    let room = Arc::new(Semaphore::new(MOST));
    loop {
        let Ok(permit) = room.clone().acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else { return };
        let fetch = fetch.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| forward(request, fetch.clone()));
            let connection =
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a function's way out ended");
            }
            drop(permit);
        });
    }
}

async fn forward(request: Request<Incoming>, fetch: Arc<dyn Fetch>) -> Result<Response<Body>, Infallible> {
    if request.method() == Method::CONNECT || request.uri().scheme().is_none() {
        return Ok(refuse(StatusCode::METHOD_NOT_ALLOWED, "This proxy forwards http:// requests only."));
    }
    let (mut head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, LARGEST).collect().await else {
        return Ok(refuse(StatusCode::PAYLOAD_TOO_LARGE, "The request is too large."));
    };
    for hop in ["proxy-connection", "proxy-authorization", "connection", "transfer-encoding"] {
        head.headers.remove(hop);
    }
    let request: Request<Bytes> = Request::from_parts(head, body.to_bytes());
    Ok(match fetch.fetch(request, PATIENCE).await {
        Ok(response) => response,
        Err(FetchRefused::Forbidden(_)) => refuse(StatusCode::FORBIDDEN, "This target is not allowed."),
        Err(FetchRefused::TimedOut) => {
            refuse(StatusCode::GATEWAY_TIMEOUT, "The target did not answer in time.")
        }
        Err(FetchRefused::Unreachable(_)) => {
            refuse(StatusCode::BAD_GATEWAY, "The target could not be reached.")
        }
    })
}

fn refuse(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(full(text));
    *response.status_mut() = status;
    response
}
