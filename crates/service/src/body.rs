use bytes::{Bytes, BytesMut};
use http_body::Body as _;
use http_body_util::{BodyExt, Empty, Full, combinators::UnsyncBoxBody};

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

/// A body that is longer than it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the body is longer than it may be")]
pub struct TooLong;

/// Reads a body whole, at most `limit` bytes; a longer one is [`TooLong`] before it is held.
pub async fn collect(mut body: Body, limit: usize) -> Result<Bytes, BoxError> {
    if usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX) > limit {
        return Err(TooLong.into());
    }
    let mut first = Bytes::new();
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        if first.len() + whole.len() + data.len() > limit {
            return Err(TooLong.into());
        }
        // A body that comes in one piece is not copied.
        if first.is_empty() && whole.is_empty() {
            first = data;
            continue;
        }
        whole.extend_from_slice(&std::mem::take(&mut first));
        whole.extend_from_slice(&data);
    }
    Ok(if whole.is_empty() { first } else { whole.freeze() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body::Frame;
    use http_body_util::StreamBody;

    fn pieces(pieces: &'static [&'static [u8]]) -> Body {
        let frames = pieces.iter().map(|piece| Ok::<_, BoxError>(Frame::data(Bytes::from_static(piece))));
        StreamBody::new(futures_util::stream::iter(frames)).boxed_unsync()
    }

    #[tokio::test]
    async fn a_body_is_read_whole_within_its_limit() {
        assert_eq!(collect(pieces(&[b"ab", b"", b"cd", b"e"]), 5).await.unwrap(), "abcde");
        assert_eq!(collect(pieces(&[b"ab"]), 2).await.unwrap(), "ab");
        assert_eq!(collect(empty(), 0).await.unwrap(), "");
        assert!(collect(pieces(&[b"ab", b"cd"]), 3).await.unwrap_err().is::<TooLong>());
        assert!(collect(full("abcd"), 3).await.unwrap_err().is::<TooLong>());
    }
}
