use http::HeaderMap;

/// What of a request stands before its body.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    /// Such as `POST`.
    pub method: &'a str,
    /// The path as received, still percent-encoded. S3's are in path style: `/BUCKET/KEY`.
    pub path: &'a str,
    /// The query string as received, without the question mark.
    pub query: &'a str,
    /// The headers.
    pub headers: &'a HeaderMap,
}

/// An answer, ready to be sent. A streaming payload is not in it.
#[derive(Debug, Clone)]
pub struct EncodedResponse {
    /// The status.
    pub status: u16,
    /// All headers but `Date`, `Content-Length` and those of the connection.
    pub headers: HeaderMap,
    /// The body; empty where the operation's output has a streaming payload.
    pub body: Vec<u8>,
}

impl EncodedResponse {
    pub(crate) fn new(status: u16) -> Self {
        Self { status, headers: HeaderMap::new(), body: Vec::new() }
    }

    /// Sets a header, unless its name or value cannot stand in one.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        let name = http::HeaderName::from_bytes(name.as_bytes());
        let value = http::HeaderValue::from_bytes(value.as_bytes());
        if let (Ok(name), Ok(value)) = (name, value) {
            self.headers.insert(name, value);
        }
    }
}
