//! The way out of a network namespace: an HTTP proxy whose every connection the program's guarded connector makes.
//! `https://` goes through by CONNECT, end to end; `http://` by its absolute form.

use std::convert::Infallible;
use std::sync::Arc;

use homeport_service::needs::{Fetch, FetchRefused};
use homeport_service::{Body, empty, full};
use http::uri::{PathAndQuery, Uri};
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// Connections of one environment at a time.
const MOST: usize = 64;
/// Headers that are between the function and the proxy alone.
const HOP: [&str; 4] = ["proxy-connection", "proxy-authorization", "connection", "keep-alive"];

/// Serves a listener for ever.
pub(super) async fn serve(listener: TcpListener, out: Arc<dyn Fetch>) {
    let room = Arc::new(Semaphore::new(MOST));
    loop {
        let Ok(permit) = room.clone().acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else { return };
        let out = out.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(request, out.clone()));
            let connection =
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            if let Err(error) = connection.with_upgrades().await {
                tracing::debug!(%error, "a function's way out ended");
            }
            drop(permit);
        });
    }
}

async fn answer(request: Request<Incoming>, out: Arc<dyn Fetch>) -> Result<Response<Body>, Infallible> {
    let tunnel = request.method() == Method::CONNECT;
    let port =
        request.uri().port_u16().or((!tunnel && request.uri().scheme_str() == Some("http")).then_some(80));
    let (Some(host), Some(port)) = (request.uri().host(), port) else {
        return Ok(refuse(
            StatusCode::BAD_REQUEST,
            "This proxy takes CONNECT, and http:// in absolute form.",
        ));
    };
    let connected = out.connect(host, port).await;
    Ok(match connected {
        Ok(stream) if tunnel => open_tunnel(request, stream),
        Ok(stream) => forward(request, stream).await,
        Err(FetchRefused::Forbidden(_)) => refuse(StatusCode::FORBIDDEN, "This target is not allowed."),
        Err(FetchRefused::TimedOut) => {
            refuse(StatusCode::GATEWAY_TIMEOUT, "The target did not answer in time.")
        }
        Err(FetchRefused::Unreachable(_)) => {
            refuse(StatusCode::BAD_GATEWAY, "The target could not be reached.")
        }
    })
}

/// The function's own TLS: bytes pass as they are.
fn open_tunnel(request: Request<Incoming>, mut stream: TcpStream) -> Response<Body> {
    tokio::spawn(async move {
        match hyper::upgrade::on(request).await {
            Ok(upgraded) => {
                // Either side may end as it likes.
                let _ = copy_bidirectional(&mut TokioIo::new(upgraded), &mut stream).await;
            }
            Err(error) => tracing::debug!(%error, "a function's tunnel was not opened"),
        }
    });
    Response::new(empty())
}

async fn forward(mut request: Request<Incoming>, stream: TcpStream) -> Response<Body> {
    let Some(host) = request.uri().authority().and_then(|host| HeaderValue::from_str(host.as_str()).ok())
    else {
        return refuse(StatusCode::BAD_REQUEST, "The target is not valid.");
    };
    let path = request.uri().path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
    *request.uri_mut() = Uri::from(path);
    HOP.iter().for_each(|hop| drop(request.headers_mut().remove(*hop)));
    request.headers_mut().insert(header::HOST, host);
    let failed = |_| refuse(StatusCode::BAD_GATEWAY, "The target did not answer.");
    match hyper::client::conn::http1::handshake(TokioIo::new(stream)).await {
        Ok((mut sender, connection)) => {
            tokio::spawn(connection);
            let answered = sender.send_request(request).await;
            answered
                .map(|response| response.map(|body| body.map_err(Into::into).boxed_unsync()))
                .unwrap_or_else(failed)
        }
        Err(error) => failed(error),
    }
}

fn refuse(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(full(text));
    *response.status_mut() = status;
    response
}
