//! By raw sockets: what hyper would let pass must be refused before it.

use std::time::Duration;

use homeport_core::{SeededRandomness, Timestamp};
use homeport_service::{collect, full};
use http::StatusCode;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::tls::{Certificates, LeafKey, LocalAuthority, Names};

struct Running {
    server: Server,
    address: SocketAddr,
    authority: LocalAuthority,
}

fn settings() -> (Settings, LocalAuthority) {
    let (random, now) = (SeededRandomness::new(1), Timestamp::from_seconds(now()));
    let authority = LocalAuthority::create("test", &Names::local(), now, &random).unwrap();
    let leaf = authority.issue(&LeafKey::generate().unwrap(), &Names::local(), now, &random).unwrap();
    let tls = crate::tls::acceptor(Certificates::new(leaf)).unwrap();
    let settings = Settings {
        via: Via::Public,
        plain: Plain::OnLoopback,
        proxy_protocol: false,
        proxies: TrustedProxies::default(),
        tls: Some(tls),
    };
    (settings, authority)
}

/// rustls compares certificates with the system's clock.
fn now() -> i64 {
    let file = tempfile::NamedTempFile::new().unwrap();
    let made = file.as_file().metadata().unwrap().modified().unwrap();
    i64::try_from(made.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

async fn start(limits: Limits, change: impl FnOnce(&mut Settings)) -> Running {
    let (mut settings, authority) = settings();
    change(&mut settings);
    let server = Server::new(limits);
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    server.listen(socket, settings, echo);
    Running { server, address, authority }
}

/// Answers with what it was given: target, version, client, TLS, and the body, after a pause if one is asked for.
async fn echo(request: Request<Body>, peer: Peer) -> Response<Body> {
    let (head, body) = request.into_parts();
    if let Some(pause) = head.headers.get("pause") {
        tokio::time::sleep(Duration::from_millis(pause.to_str().unwrap().parse().unwrap())).await;
    }
    if head.headers.contains_key("unread") {
        return Response::builder().status(StatusCode::FORBIDDEN).body(full("refused")).unwrap();
    }
    let (status, body) = match collect(body, 1 << 20).await {
        Ok(body) => (StatusCode::OK, body),
        Err(error) if error.is::<BodyStopped>() => (StatusCode::REQUEST_TIMEOUT, "".into()),
        Err(_) => (StatusCode::BAD_REQUEST, "".into()),
    };
    let told = format!("{} {:?} {} {} {}", head.uri, head.version, peer.client, peer.secure, body.len());
    Response::builder().status(status).body(full(told)).unwrap()
}

/// Sends bytes and reads until the server closes, or nothing more comes.
async fn exchange(address: SocketAddr, bytes: &[u8]) -> (String, bool) {
    let mut tcp = TcpStream::connect(address).await.unwrap();
    tcp.write_all(bytes).await.unwrap();
    read_to_end(&mut tcp).await
}

async fn read_to_end(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> (String, bool) {
    let (mut read, mut buffer) = (Vec::new(), [0; 4_096]);
    loop {
        match tokio::time::timeout(Duration::from_millis(400), stream.read(&mut buffer)).await {
            Err(_) => return (String::from_utf8_lossy(&read).into_owned(), false),
            Ok(Ok(0) | Err(_)) => return (String::from_utf8_lossy(&read).into_owned(), true),
            Ok(Ok(length)) => read.extend_from_slice(&buffer[..length]),
        }
    }
}

async fn all_closed(running: &Running, within: Duration) -> bool {
    let closed = async {
        while running.server.connections.total() > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(within, closed).await.is_ok()
}

#[tokio::test]
async fn requests_follow_each_other_on_one_connection_and_every_answer_has_a_date() {
    let running = start(Limits::default(), |_| {}).await;
    let requests = "GET /a HTTP/1.1\r\nhost: h\r\n\r\nPOST /b HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\n\r\nabc\
        PUT /c HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\nGET /d HTTP/1.1\r\nhost: h\r\n\r\n";
    let (answers, closed) = exchange(running.address, requests.as_bytes()).await;
    for told in [
        "/a HTTP/1.1 127.0.0.1 false 0",
        "/b HTTP/1.1 127.0.0.1 false 3",
        "/c HTTP/1.1 127.0.0.1 false 4",
        "/d ",
    ] {
        assert!(answers.contains(told), "{answers}");
    }
    assert_eq!(answers.matches("date: ").count(), 4, "{answers}");
    assert!(!closed);
}

#[tokio::test]
async fn whatever_can_be_read_in_two_ways_is_400_and_the_end() {
    let running = start(Limits::default(), |_| {}).await;
    let smuggled = "GET /smuggled HTTP/1.1\r\nhost: h\r\n\r\n";
    let bad = [
        (
            "TE and CL",
            "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
        (
            "CL and TE",
            "POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n",
        ),
        ("two CLs", "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 0\r\ncontent-length: 0\r\n\r\n"),
        ("TE not chunked", "POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n"),
        ("TE in 1.0", "POST / HTTP/1.0\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
        ("folded", "GET / HTTP/1.1\r\nhost: h\r\nx: a\r\n b\r\n\r\n"),
        ("folded first", "GET / HTTP/1.1\r\n host: h\r\n\r\n"),
        ("bare LF", "GET / HTTP/1.1\nhost: h\n\n"),
        ("bare LF within", "GET / HTTP/1.1\r\nhost: h\nx: y\r\n\r\n"),
        ("bare LF at the end", "GET / HTTP/1.1\r\nhost: h\r\n\n"),
        ("bare CR", "GET / HTTP/1.1\r\nhost: h\rx: y\r\n\r\n"),
        ("space before colon", "GET / HTTP/1.1\r\nhost : h\r\n\r\n"),
        ("tab before colon", "GET / HTTP/1.1\r\nhost: h\r\nx\t: y\r\n\r\n"),
        ("NUL", "GET / HTTP/1.1\r\nhost: h\0\r\n\r\n"),
        ("no host", "GET / HTTP/1.1\r\n\r\n"),
        ("two hosts", "GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n"),
        ("another host", "GET http://a/ HTTP/1.1\r\nhost: b\r\n\r\n"),
    ];
    for (name, request) in bad {
        let (answer, closed) = exchange(running.address, format!("{request}{smuggled}").as_bytes()).await;
        assert!(
            answer.starts_with("HTTP/1.1 400 ") || answer.starts_with("HTTP/1.0 400 "),
            "{name}: {answer}"
        );
        assert!(answer.contains("date: "), "{name}: {answer}");
        assert!(!answer.contains("smuggled"), "{name}: {answer}");
        assert!(closed, "{name}");
    }
}

#[tokio::test]
async fn a_body_that_is_wrongly_framed_fails() {
    let running = start(Limits::default(), |_| {}).await;
    let head = "PUT / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n";
    for body in [
        "4\nabcd\r\n0\r\n\r\n",
        "4\r\nabcde\r\n0\r\n\r\n",
        "4\r\nabcd\n0\r\n\r\n",
        "0x4\r\nabcd\r\n0\r\n\r\n",
    ] {
        let request = format!("{head}{body}GET /smuggled HTTP/1.1\r\nhost: h\r\n\r\n");
        let (answer, closed) = exchange(running.address, request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{body:?}: {answer}");
        assert!(closed && !answer.contains("smuggled"), "{body:?}: {answer}");
    }
}

#[tokio::test]
async fn an_answer_before_the_whole_body_says_that_the_connection_ends() {
    let running = start(Limits::default(), |_| {}).await;
    let post = |headers: &str, body: &str| format!("POST / HTTP/1.1\r\nhost: a\r\n{headers}\r\n\r\n{body}");
    let unread = post("unread: 1\r\ncontent-length: 9", "some");
    let (text, closed) = exchange(running.address, unread.as_bytes()).await;
    assert!(text.contains("403") && text.contains("connection: close") && closed, "{text}");
    let read = post("content-length: 4", "some");
    let (text, closed) = exchange(running.address, read.as_bytes()).await;
    assert!(text.contains("200") && !text.contains("connection: close") && !closed, "{text}");
    let none = post("unread: 1\r\ncontent-length: 0", "");
    let (text, closed) = exchange(running.address, none.as_bytes()).await;
    assert!(text.contains("403") && !text.contains("connection: close") && !closed, "{text}");
}

#[tokio::test]
async fn who_reads_only_after_sending_all_still_gets_an_early_answer() {
    let running = start(Limits::default(), |_| {}).await;
    let chunk = format!("40000\r\n{}\r\n", "x".repeat(0x40000));
    for (framing, body) in [
        ("content-length: 16777216", "x".repeat(16 << 20)),
        ("transfer-encoding: chunked", format!("{}0\r\n\r\n", chunk.repeat(64))),
    ] {
        let mut tcp = TcpStream::connect(running.address).await.unwrap();
        tcp.write_all(format!("POST / HTTP/1.1\r\nhost: a\r\nunread: 1\r\n{framing}\r\n\r\n").as_bytes())
            .await
            .unwrap();
        for part in body.as_bytes().chunks(1 << 20) {
            tcp.write_all(part).await.unwrap();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let (text, closed) = read_to_end(&mut tcp).await;
        assert!(text.contains("403") && closed, "{framing}: {text}");
        assert!(all_closed(&running, Duration::from_secs(1)).await, "{framing}: it ends with its body");
    }
}

#[tokio::test]
async fn who_falls_silent_after_an_early_answer_is_not_waited_for_long() {
    let running = start(Limits::default(), |_| {}).await;
    let mut tcp = TcpStream::connect(running.address).await.unwrap();
    tcp.write_all(b"POST / HTTP/1.1\r\nhost: a\r\nunread: 1\r\ncontent-length: 9\r\n\r\nsome").await.unwrap();
    let (text, closed) = read_to_end(&mut tcp).await;
    assert!(text.contains("403") && closed, "{text}");
    assert!(all_closed(&running, Duration::from_secs(5)).await);
}

#[tokio::test]
async fn heads_have_bounds() {
    let limits = Limits { head_bytes: 16 * 1024, target_bytes: 4 * 1024, ..Limits::default() };
    let running = start(limits, |_| {}).await;
    let many = "x: y\r\n".repeat(101);
    let too_many = format!("GET / HTTP/1.1\r\nhost: h\r\n{many}\r\n");
    let too_long = format!("GET / HTTP/1.1\r\nhost: h\r\nx: {}\r\n\r\n", "y".repeat(20_000));
    let far = format!("GET /{} HTTP/1.1\r\nhost: h\r\n\r\n", "y".repeat(5_000));
    for (request, status) in [(too_many, "431"), (too_long, "431"), (far, "414")] {
        let (answer, closed) = exchange(running.address, request.as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(closed);
    }
    for method in ["CONNECT a:1", "TRACE /"] {
        let (answer, _) =
            exchange(running.address, format!("{method} HTTP/1.1\r\nhost: a:1\r\n\r\n").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
    }
}

#[tokio::test]
async fn a_client_that_dawdles_is_let_go() {
    let short = Duration::from_millis(200);
    let limits = Limits {
        handshake_time: short,
        head_time: short,
        idle_time: short,
        body_idle_time: short,
        ..Limits::default()
    };
    let running = start(limits, |_| {}).await;
    let whole = "GET / HTTP/1.1\r\nhost: h\r\n\r\n";
    let paused = "PUT / HTTP/1.1\r\nhost: h\r\ncontent-length: 9\r\n\r\nabc";
    for (sent, expected) in [("", ""), ("GET / HT", ""), (whole, "HTTP/1.1 200"), (paused, "HTTP/1.1 408")] {
        let mut tcp = TcpStream::connect(running.address).await.unwrap();
        tcp.write_all(sent.as_bytes()).await.unwrap();
        let mut read = Vec::new();
        let ended = tokio::time::timeout(Duration::from_secs(3), tcp.read_to_end(&mut read)).await;
        assert!(ended.is_ok(), "{sent:?} was held open");
        assert!(String::from_utf8_lossy(&read).starts_with(expected), "{sent:?}");
    }
}

#[tokio::test]
async fn an_answer_that_takes_long_is_no_idle_connection() {
    let short = Duration::from_millis(100);
    let running = start(Limits { head_time: short, idle_time: short, ..Limits::default() }, |_| {}).await;
    let (answer, _) = exchange(running.address, b"GET / HTTP/1.1\r\nhost: h\r\npause: 300\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[tokio::test]
async fn connections_have_a_bound() {
    let running = start(Limits { connections_per_address: 1, ..Limits::default() }, |_| {}).await;
    let mut held = TcpStream::connect(running.address).await.unwrap();
    held.write_all(b"GET / HTTP/1.1\r\nhost: h\r\n\r\n").await.unwrap();
    assert!(read_to_end(&mut held).await.0.starts_with("HTTP/1.1 200"));
    let refused = exchange(running.address, b"GET / HTTP/1.1\r\nhost: h\r\n\r\n").await;
    assert_eq!(refused, (String::new(), true));
    // What functions hold open is counted for itself.
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    running.server.listen(socket, Settings { via: Via::Functions, ..settings().0 }, echo);
    let mut function = TcpStream::connect(address).await.unwrap();
    function.write_all(b"GET / HTTP/1.1\r\nhost: h\r\n\r\n").await.unwrap();
    assert!(read_to_end(&mut function).await.0.starts_with("HTTP/1.1 200"));
    assert_eq!(exchange(address, b"GET / HTTP/1.1\r\nhost: h\r\n\r\n").await, (String::new(), true));
}

async fn tls(running: &Running, alpn: &[&[u8]]) -> tokio_rustls::client::TlsStream<TcpStream> {
    let mut roots = rustls::RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(running.authority.record().certificate_pem.as_bytes()).unwrap();
    roots.add(root).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder =
        rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    let tcp = TcpStream::connect(running.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, tcp).await.unwrap()
}

async fn http2<S>(stream: S, count: usize) -> Vec<(StatusCode, String)>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    use http_body_util::BodyExt;
    use hyper_util::rt::{TokioExecutor, TokioIo};
    let io = TokioIo::new(stream);
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake::<_, _, Body>(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    let mut answers = Vec::new();
    for at in 0..count {
        let request = Request::post(format!("https://h/{at}")).body(full(vec![0; at])).unwrap();
        let response = sender.send_request(request).await.unwrap();
        assert!(response.headers().contains_key("date"));
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        answers.push((status, String::from_utf8_lossy(&body).into_owned()));
    }
    answers
}

#[tokio::test]
async fn one_port_speaks_tls_and_plain_http1_and_http2() {
    let running = start(Limits::default(), |_| {}).await;
    let mut encrypted = tls(&running, &[b"http/1.1"]).await;
    encrypted.write_all(b"GET /t HTTP/1.1\r\nhost: h\r\n\r\n").await.unwrap();
    assert!(read_to_end(&mut encrypted).await.0.contains("/t HTTP/1.1 127.0.0.1 true 0"));

    let encrypted = tls(&running, &[b"h2", b"http/1.1"]).await;
    assert_eq!(encrypted.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
    let answers = http2(encrypted, 3).await;
    assert_eq!(answers[2], (StatusCode::OK, "https://h/2 HTTP/2.0 127.0.0.1 true 2".to_owned()));

    let plain = TcpStream::connect(running.address).await.unwrap();
    let answers = http2(plain, 2).await;
    assert_eq!(answers[1].0, StatusCode::OK);
    assert!(answers[1].1.ends_with("HTTP/2.0 127.0.0.1 false 1"), "{answers:?}");
}

#[tokio::test]
async fn tls_is_strict_too() {
    let running = start(Limits::default(), |_| {}).await;
    let mut encrypted = tls(&running, &[b"http/1.1"]).await;
    encrypted.write_all(b"GET / HTTP/1.1\nhost: h\n\n").await.unwrap();
    assert!(read_to_end(&mut encrypted).await.0.starts_with("HTTP/1.1 400 "));
}

#[tokio::test]
async fn a_proxy_tells_the_client_only_where_it_is_trusted() {
    let header = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc6\x33\x64\x09\x0a\0\0\x01\xc0\0\x11\x5e";
    let request = b"GET / HTTP/1.1\r\nhost: h\r\nx-forwarded-for: 192.0.2.1\r\n\r\n";
    let bytes = [header.as_slice(), request].concat();
    let trusted = TrustedProxies::new(vec!["127.0.0.1/32".parse().unwrap()]);
    let proxied = start(Limits::default(), |settings| {
        settings.proxy_protocol = true;
        settings.proxies = trusted.clone();
    })
    .await;
    assert!(exchange(proxied.address, &bytes).await.0.contains("198.51.100.9 false"));
    assert_eq!(exchange(proxied.address, request).await, (String::new(), true));

    let untrusting = start(Limits::default(), |settings| settings.proxy_protocol = true).await;
    assert_eq!(exchange(untrusting.address, &bytes).await, (String::new(), true));

    let forwarding = start(Limits::default(), |settings| settings.proxies = trusted).await;
    assert!(exchange(forwarding.address, request).await.0.contains("192.0.2.1 false"));
}

#[tokio::test]
async fn the_end_lets_requests_finish() {
    let running = start(Limits::default(), |_| {}).await;
    let mut idle = TcpStream::connect(running.address).await.unwrap();
    let request = b"GET / HTTP/1.1\r\nhost: h\r\npause: 300\r\n\r\n";
    let asked = tokio::spawn(exchange(running.address, request));
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(running.server.shut_down(Duration::from_secs(3)).await);
    let (answer, closed) = asked.await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 ") && closed, "{answer}");
    assert_eq!(read_to_end(&mut idle).await, (String::new(), true));
    assert!(TcpStream::connect(running.address).await.is_err());
}

#[tokio::test]
async fn the_end_waits_no_longer_than_its_grace() {
    let running = start(Limits::default(), |_| {}).await;
    let asked = tokio::spawn(exchange(running.address, b"GET / HTTP/1.1\r\nhost: h\r\npause: 5000\r\n\r\n"));
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!running.server.shut_down(Duration::from_millis(100)).await);
    assert_eq!(asked.await.unwrap(), (String::new(), true));
}
