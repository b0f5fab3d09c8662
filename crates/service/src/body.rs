use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Full, Limited, combinators::UnsyncBoxBody};

/// Any error, boxed: bodies fail for reasons of the network's.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A body that may stream.
pub type Body = UnsyncBoxBody<Bytes, BoxError>;

/// What a body that should be empty may hold, in bytes, before it is refused.
pub const EMPTY_LIMIT: usize = 64 * 1024;

/// A body of these bytes.
pub fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// A body of no bytes.
pub fn empty() -> Body {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// Reads a body whole, at most `limit` bytes; a longer one is an error before it is held.
pub async fn collect<B>(body: B, limit: usize) -> Result<Bytes, BoxError>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    Ok(Limited::new(body, limit).collect().await?.to_bytes())
}
