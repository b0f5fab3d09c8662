//! The web page, from an origin of its own: never the AWS endpoint's.

use std::convert::Infallible;
use std::net::SocketAddr;

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS,
};
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::Deployed;

/// Connections at once; more wait.
const CONNECTIONS: usize = 64;

const INDEX: &str = include_str!("../../../examples/notes/page/index.html");
const SCRIPT: &str = include_str!("../../../examples/notes/page/app.js");
const STYLE: &str = include_str!("../../../examples/notes/page/style.css");

/// Serves the page on a listener that was bound before, until the future is dropped.
///
/// # Errors
/// When the listener breaks.
pub async fn serve(listener: TcpListener, public_url: &str, backend: &Deployed) -> std::io::Result<()> {
    let config = json!({
        "endpoint": format!("{public_url}/"), "api": format!("{public_url}{}", backend.api_path),
        "clientId": backend.client_id, "userPoolId": backend.user_pool_id,
    })
    .to_string();
    // The page may call the endpoint and show the bucket's photos, and nothing else.
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' {public_url}; img-src {public_url}"
    );
    let connections = std::sync::Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let (stream, _peer): (_, SocketAddr) = listener.accept().await?;
        let Ok(permit) = connections.clone().acquire_owned().await else { return Ok(()) };
        let (config, policy) = (config.clone(), policy.clone());
        tokio::spawn(async move {
            let answer = service_fn(move |request: Request<Incoming>| {
                let response = respond(request.uri().path(), &config, &policy);
                async move { Ok::<_, Infallible>(response) }
            });
            let connection = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), answer);
            // A browser that goes away is no error of ours.
            connection.await.ok();
            drop(permit);
        });
    }
}

fn respond(path: &str, config: &str, policy: &str) -> Response<Full<Bytes>> {
    let (status, kind, body) = match path {
        "/" => (StatusCode::OK, "text/html; charset=utf-8", INDEX),
        "/app.js" => (StatusCode::OK, "text/javascript; charset=utf-8", SCRIPT),
        "/style.css" => (StatusCode::OK, "text/css; charset=utf-8", STYLE),
        "/config.json" => (StatusCode::OK, "application/json", config),
        _ => (StatusCode::NOT_FOUND, "text/plain; charset=utf-8", "Not found."),
    };
    let mut response = Response::new(Full::from(body.to_owned()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(policy) = HeaderValue::from_str(policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}
