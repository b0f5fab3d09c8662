//! The peer of calls and reads: a hyper server that reads a request and answers bytes.

use std::convert::Infallible;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;

use crate::Outcome;
use crate::process::{Program, Server, free_address};

/// Starts the peer, which answers `body` to everything.
pub(crate) async fn start(program: &Program, folder: &Path, body: &[u8]) -> Outcome<Server> {
    let (address, file) = (free_address()?, folder.join("answer"));
    std::fs::write(&file, [address.as_bytes(), b"\n", body].concat())?;
    let child = program.on_server_cores(&std::env::current_exe()?).arg("bare").arg(&file).spawn()?;
    let server = Server::of(child, address);
    for _ in 0..500 {
        if tokio::net::TcpStream::connect(&server.address).await.is_ok() {
            return Ok(server);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Err("the bare server did not start".into())
}

/// The peer's own process: a file holds its address and, behind a line's end, what it answers.
pub(crate) fn serve(file: &str) -> Outcome<()> {
    let content = std::fs::read(file)?;
    let end = content.iter().position(|byte| *byte == b'\n').ok_or("no address")?;
    let address = std::str::from_utf8(&content[..end])?.to_owned();
    let body = Bytes::copy_from_slice(&content[end + 1..]);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(accept(&address, body))
    })
    .join()
    .map_err(|_| "the bare server failed")??;
    Ok(())
}

async fn accept(address: &str, body: Bytes) -> std::io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let body = body.clone();
        tokio::spawn(async move {
            let answer = service_fn(|request| answered(request, body.clone()));
            let _ =
                auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), answer).await;
        });
    }
}

async fn answered(request: Request<Incoming>, body: Bytes) -> Result<Response<Full<Bytes>>, Infallible> {
    let _ = request.into_body().collect().await;
    let mut response = Response::new(Full::new(body));
    let headers = response.headers_mut();
    headers.insert("content-type", http::HeaderValue::from_static("application/x-amz-json-1.0"));
    headers
        .insert("x-amzn-requestid", http::HeaderValue::from_static("7a1f9c52-6f1c-4b61-9d2e-0a9f4f8f3f10"));
    Ok(response)
}
