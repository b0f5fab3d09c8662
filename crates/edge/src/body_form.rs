use std::pin::Pin;
use std::task::{Context, Poll};

use aws_lc_rs::digest;
use bytes::Bytes;
use homeport_core::Fault;
use homeport_service::{Body, BoxError};
use homeport_sigv4::{BodyForm, ChunkedBody};
use http::{HeaderMap, HeaderName};
use http_body::Frame;
use http_body_util::BodyExt;

/// The body as the signature binds it: what reads it to its end without an error has read what was signed.
/// Errors are [`Fault`]s, for whoever reads to answer with.
pub(crate) fn bound(body: Body, form: BodyForm) -> Body {
    match form {
        BodyForm::Verified | BodyForm::Unsigned => body,
        BodyForm::Sha256(expected) => {
            Hashed { body, context: Some(digest::Context::new(&digest::SHA256)), expected }.boxed_unsync()
        }
        BodyForm::Chunked(chunks) => {
            Chunks { body, chunks: Some(chunks), ready: Vec::new().into_iter() }.boxed_unsync()
        }
    }
}

struct Hashed {
    body: Body,
    context: Option<digest::Context>,
    expected: [u8; 32],
}

impl http_body::Body for Hashed {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(cx));
        match frame {
            Some(Ok(frame)) => {
                if let (Some(data), Some(context)) = (frame.data_ref(), &mut self.context) {
                    context.update(data);
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Some(Err(error)) => Poll::Ready(Some(Err(error))),
            None => match self.context.take() {
                Some(context) if context.clone().finish().as_ref() != self.expected.as_slice() => {
                    Poll::Ready(Some(Err(mismatch().into())))
                }
                _ => Poll::Ready(None),
            },
        }
    }
}

fn mismatch() -> Fault {
    Fault::sender(
        "XAmzContentSHA256Mismatch",
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
    )
}

struct Chunks {
    body: Body,
    chunks: Option<Box<ChunkedBody>>,
    ready: std::vec::IntoIter<Bytes>,
}

impl Chunks {
    fn push(&mut self, data: Bytes) -> Result<(), BoxError> {
        let mut out = Vec::new();
        if let Some(chunks) = &mut self.chunks {
            chunks.push(data, &mut out).map_err(|refusal| refusal.fault())?;
        }
        self.ready = out.into_iter();
        Ok(())
    }

    /// The verified trailers, as the body's own trailers, for whoever compares the checksum in them.
    fn finish(&mut self) -> Option<Result<Frame<Bytes>, BoxError>> {
        let trailers = match self.chunks.take()?.finish() {
            Ok(trailers) => trailers,
            Err(refusal) => return Some(Err(refusal.fault().into())),
        };
        let headers: HeaderMap = trailers
            .iter()
            .filter_map(|(name, value)| Some((name.parse::<HeaderName>().ok()?, value.parse().ok()?)))
            .collect();
        (!headers.is_empty()).then(|| Ok(Frame::trailers(headers)))
    }
}

impl http_body::Body for Chunks {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        loop {
            if let Some(data) = self.ready.next() {
                return Poll::Ready(Some(Ok(Frame::data(data))));
            }
            if self.chunks.is_none() {
                return Poll::Ready(None);
            }
            match std::task::ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => {
                    let Ok(data) = frame.into_data() else { continue };
                    if let Err(error) = self.push(data) {
                        self.chunks = None;
                        return Poll::Ready(Some(Err(error)));
                    }
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(self.finish()),
            }
        }
    }
}
