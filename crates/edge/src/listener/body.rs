use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::{Sleep, sleep};

use homeport_service::{Body, BoxError, empty};

use super::activity::Activity;

/// A request's body paused longer than it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the request's body stopped arriving")]
pub struct BodyStopped;

/// Whether a request's body was read to its end. A connection on which it wasn't can carry no further request.
#[derive(Clone, Default)]
pub(crate) struct ReadToItsEnd(Arc<AtomicBool>);

impl ReadToItsEnd {
    pub(crate) fn is_so(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    fn set(&self) {
        self.0.store(true, Ordering::Release);
    }
}

/// The body of a request, which fails with [`BodyStopped`] when it pauses for longer than `pause`.
pub(crate) fn timed(incoming: Incoming, pause: Duration) -> (Body, ReadToItsEnd) {
    let read = ReadToItsEnd::default();
    if incoming.is_end_stream() {
        read.set();
        return (empty(), read);
    }
    (Timed { incoming, pause, waiting: None, read: read.clone() }.boxed_unsync(), read)
}

/// The body of an answer that tells of every part that is taken.
pub(crate) fn moving(body: Body, activity: Arc<Activity>) -> Body {
    if body.is_end_stream() {
        return body;
    }
    Moving { body, activity }.boxed_unsync()
}

struct Moving {
    body: Body,
    activity: Arc<Activity>,
}

impl http_body::Body for Moving {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        self.activity.moved();
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

struct Timed {
    incoming: Incoming,
    pause: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
    read: ReadToItsEnd,
}

impl http_body::Body for Timed {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.incoming).poll_frame(cx) {
            self.waiting = None;
            if frame.is_none() || self.incoming.is_end_stream() {
                self.read.set();
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(BoxError::from)));
        }
        let pause = self.pause;
        ready!(self.waiting.get_or_insert_with(|| Box::pin(sleep(pause))).as_mut().poll(cx));
        Poll::Ready(Some(Err(BodyStopped.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
