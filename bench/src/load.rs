use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use bytes::Bytes;
use homeport_core::Clock;
use homeport_demo::Keys;
use homeport_sigv4::{Credentials, SignedPayload, Signer};
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::Outcome;
use crate::process::{Server, SystemClock};

/// How long a measurement takes.
pub(crate) const SPAN: Duration = Duration::from_secs(4);
/// How long requests are sent before it begins.
pub(crate) const WARM: Duration = Duration::from_millis(700);
/// The largest answer that is read.
const MAX_ANSWER: usize = 1 << 20;

/// What a server did.
pub(crate) struct Load {
    pub(crate) requests: u64,
    pub(crate) seconds: f64,
    cpu_seconds: f64,
    /// 99 of 100 answers came sooner.
    p99: Duration,
}

impl Load {
    /// What another client counted.
    pub(crate) fn of(requests: u64, seconds: f64, cpu_seconds: f64, p99: Duration) -> Self {
        Self { requests, seconds, cpu_seconds, p99 }
    }

    pub(crate) fn cpu_per_request(&self) -> f64 {
        self.cpu_seconds / self.requests as f64
    }

    pub(crate) fn per_second(&self) -> f64 {
        self.requests as f64 / self.seconds
    }

    pub(crate) fn p99_ms(&self) -> f64 {
        self.p99.as_secs_f64() * 1e3
    }

    pub(crate) fn summary(&self) -> String {
        format!(
            "{:.0} us CPU, {:.0}/s, p99 {:.1} ms",
            self.cpu_per_request() * 1e6,
            self.per_second(),
            self.p99_ms()
        )
    }
}

/// A request as it is written to a socket.
pub(crate) fn request(
    host: &str,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Bytes {
    let mut head =
        format!("{method} {target} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    [head.as_bytes(), body].concat().into()
}

/// A signed request. Signatures hold for minutes, so requests are signed before the clock runs.
pub(crate) fn signed(
    host: &str,
    keys: &Keys,
    service: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Outcome<Bytes> {
    let mut map = HeaderMap::new();
    map.insert("host", HeaderValue::from_str(host)?);
    for (name, value) in headers {
        map.insert(HeaderName::from_bytes(name.as_bytes())?, HeaderValue::from_str(value)?);
    }
    let credentials = Credentials {
        access_key_id: &keys.access_key_id,
        secret_access_key: &keys.secret_access_key,
        session_token: None,
    };
    let signer = Signer { credentials, region: "us-east-1", service, at: SystemClock.now() };
    signer
        .sign("POST", target, &mut map, SignedPayload::Bytes(body))
        .map_err(|refusal| refusal.to_string())?;
    map.remove("host");
    let headers: Vec<_> =
        map.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap_or_default())).collect();
    Ok(request(host, "POST", target, &headers, body))
}

/// A call of an AWS JSON service, signed.
pub(crate) fn signed_json(
    host: &str,
    keys: &Keys,
    service: &str,
    target: &str,
    body: &str,
) -> Outcome<Bytes> {
    let headers = [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", target)];
    signed(host, keys, service, "/", &headers, body.as_bytes())
}

/// Sends `requests` over and over by so many connections, and measures after a moment of warming up.
pub(crate) async fn over_and_over(server: &Server, connections: usize, requests: &[Bytes]) -> Outcome<Load> {
    at_pace(server, connections, requests, None).await
}

/// The same, with so much time from one connection's request to its next.
pub(crate) async fn at_pace(
    server: &Server,
    connections: usize,
    requests: &[Bytes],
    pace: Option<Duration>,
) -> Outcome<Load> {
    let begin = Instant::now() + WARM;
    let end = begin + SPAN;
    let lanes: Vec<_> = (0..connections)
        .map(|lane| sending(server, requests, lane, connections, Some((begin, end)), pace))
        .collect();
    let lanes: Vec<_> = lanes.into_iter().map(tokio::spawn).collect();
    tokio::time::sleep_until(begin.into()).await;
    let before = server.cpu_seconds();
    tokio::time::sleep_until(end.into()).await;
    let cpu_seconds = server.cpu_seconds() - before;
    gather(lanes, cpu_seconds, SPAN.as_secs_f64()).await
}

/// Sends each of `requests` once.
pub(crate) async fn once_each(
    server: &Server,
    connections: usize,
    requests: &[Bytes],
    pace: Option<Duration>,
) -> Outcome<Load> {
    let (begin, before) = (Instant::now(), server.cpu_seconds());
    let lanes: Vec<_> = (0..connections)
        .map(|lane| tokio::spawn(sending(server, requests, lane, connections, None, pace)))
        .collect();
    let mut load = gather(lanes, 0.0, 0.0).await?;
    load.seconds = begin.elapsed().as_secs_f64();
    load.cpu_seconds = server.cpu_seconds() - before;
    Ok(load)
}

type Lane = tokio::task::JoinHandle<Result<Vec<Duration>, String>>;

async fn gather(lanes: Vec<Lane>, cpu_seconds: f64, seconds: f64) -> Outcome<Load> {
    let mut latencies = Vec::new();
    for lane in lanes {
        latencies.extend(lane.await??);
    }
    latencies.sort_unstable();
    let p99 = latencies.get(latencies.len().saturating_sub(1) * 99 / 100).copied().unwrap_or_default();
    Ok(Load { requests: latencies.len() as u64, seconds, cpu_seconds, p99 })
}

/// One connection's part of the work; gives the latencies of what it began within the span.
fn sending(
    server: &Server,
    requests: &[Bytes],
    lane: usize,
    lanes: usize,
    span: Option<(Instant, Instant)>,
    pace: Option<Duration>,
) -> impl Future<Output = Result<Vec<Duration>, String>> + Send + 'static {
    let own: Vec<Bytes> = requests.iter().skip(lane).step_by(lanes).cloned().collect();
    let address = server.address.clone();
    async move {
        let mut connection = Connection::open(&address, lane).await.map_err(|error| error.to_string())?;
        let mut latencies = Vec::new();
        let mut next = Instant::now();
        let rounds = if span.is_some() { usize::MAX } else { 1 };
        for request in own.iter().cycle().take(own.len().saturating_mul(rounds)) {
            if let Some(pace) = pace {
                tokio::time::sleep_until(next.into()).await;
                next = Instant::now() + pace;
            }
            let begun = Instant::now();
            if span.is_some_and(|(_, end)| begun >= end) {
                break;
            }
            connection.send(request).await?;
            if span.is_none_or(|(begin, _)| begun >= begin) {
                latencies.push(begun.elapsed());
            }
        }
        Ok(latencies)
    }
}

/// A connection that speaks just enough HTTP to be cheap.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Every lane comes from an address of its own, as the limits of public operations count by address.
    pub(crate) async fn open(address: &str, lane: usize) -> Outcome<Self> {
        let socket = TcpSocket::new_v4()?;
        let own = Ipv4Addr::new(127, 0, 1, u8::try_from(lane % 250)?.saturating_add(1));
        socket.bind(SocketAddr::from((own, 0)))?;
        let stream = socket.connect(address.parse()?).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::new() })
    }

    /// Sends one request and gives the body of its answer, which must be a success.
    pub(crate) async fn send(&mut self, request: &[u8]) -> Result<Vec<u8>, String> {
        let text = |error: std::io::Error| error.to_string();
        self.stream.write_all(request).await.map_err(text)?;
        self.buffer.clear();
        let (status, end) = loop {
            if self.stream.read_buf(&mut self.buffer).await.map_err(text)? == 0 {
                return Err("the server closed the connection".to_owned());
            }
            if let Some((status, end)) = head(&self.buffer)? {
                break (status, end);
            }
        };
        while self.buffer.len() < end.whole {
            if self.stream.read_buf(&mut self.buffer).await.map_err(text)? == 0 {
                return Err("the server closed the connection".to_owned());
            }
        }
        let body = self.buffer[end.head..end.whole].to_vec();
        if status < 300 { Ok(body) } else { Err(format!("{status}: {}", String::from_utf8_lossy(&body))) }
    }
}

/// Where an answer's head and body end.
struct End {
    head: usize,
    whole: usize,
}

fn head(buffer: &[u8]) -> Result<Option<(u16, End)>, String> {
    let Some(at) = buffer.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let text = std::str::from_utf8(&buffer[..at]).map_err(|error| error.to_string())?;
    let status = text.get(9..12).and_then(|status| status.parse().ok()).ok_or("no status")?;
    let lengths = text.lines().filter_map(|line| line.split_once(':'));
    let mut length = lengths
        .filter(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map(|(_, value)| value.trim().parse());
    let length: usize =
        length.next_back().ok_or_else(|| format!("no length: {text}"))?.map_err(|_| "no length")?;
    if length > MAX_ANSWER {
        return Err(format!("an answer of {length} bytes"));
    }
    Ok(Some((status, End { head: at + 4, whole: at + 4 + length })))
}
