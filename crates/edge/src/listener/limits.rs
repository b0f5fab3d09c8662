use std::time::Duration;

/// What a client may take of the listeners. The defaults suit a laptop and a server alike.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections at once, over all listeners.
    pub connections: usize,
    /// Connections at once from one address (IPv6: from one /64); trusted proxies are not counted.
    pub connections_per_address: usize,
    /// The longest head of an HTTP/1.1 request, and the longest header list of HTTP/2, in bytes; at least 8 KiB.
    pub head_bytes: usize,
    /// The longest request target, in bytes: presigned URLs carry session tokens.
    pub target_bytes: usize,
    /// Requests at once on one HTTP/2 connection.
    pub streams: u32,
    /// From the connection's start to its first request: PROXY header and TLS handshake.
    pub handshake_time: Duration,
    /// From a request's first byte to the end of its head.
    pub head_time: Duration,
    /// How long a connection may rest between requests, and a client may take nothing of an answer.
    pub idle_time: Duration,
    /// How long a request's body may pause.
    pub body_idle_time: Duration,
}

/// The most headers a request may have; hyper keeps as many without going to the heap.
pub const MAX_HEADERS: usize = 100;

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 8_192,
            connections_per_address: 1_024,
            head_bytes: 64 * 1024,
            target_bytes: 32 * 1024,
            streams: 128,
            handshake_time: Duration::from_secs(10),
            head_time: Duration::from_secs(10),
            idle_time: Duration::from_secs(75),
            body_idle_time: Duration::from_secs(30),
        }
    }
}
