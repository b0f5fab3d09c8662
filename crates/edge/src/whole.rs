use bytes::{Bytes, BytesMut};
use homeport_core::Fault;
use homeport_service::{Body, BoxError};
use http::request::Parts;
use http_body_util::BodyExt;

use crate::budget::Share;

/// What is read of a body before its caller's access key is known to be one, in bytes.
pub(crate) const BEFORE_KNOWN: usize = 1 << 20;

/// A body that is being read whole, within its limit and the process's budget.
pub(crate) struct Reading<'s> {
    share: &'s Share,
    body: Body,
    limit: usize,
    announced: u64,
    length: usize,
    first: Bytes,
    whole: BytesMut,
    ended: bool,
}

impl<'s> Reading<'s> {
    /// Begins to read. A body that says it is longer than `limit` bytes is refused before a byte of it is read.
    pub(crate) fn begin(head: &Parts, body: Body, limit: usize, share: &'s Share) -> Result<Self, Fault> {
        let announced = head
            .headers
            .get(http::header::CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok()?.parse::<u64>().ok())
            .unwrap_or(0)
            .max(http_body::Body::size_hint(&body).lower());
        if announced > limit as u64 {
            return Err(too_large());
        }
        let (first, whole) = (Bytes::new(), BytesMut::new());
        Ok(Self { share, body, limit, announced, length: 0, first, whole, ended: false })
    }

    /// Reads on, and tells whether the body has no more than `most` bytes. Of one that says it has more nothing is
    /// read.
    pub(crate) async fn is_within(&mut self, most: usize) -> Result<bool, Fault> {
        while !self.ended && self.announced <= most as u64 && self.length <= most {
            self.read_on().await?;
        }
        Ok(self.ended && self.length <= most)
    }

    /// Reads to the end.
    pub(crate) async fn finish(mut self) -> Result<Bytes, Fault> {
        while !self.ended {
            self.read_on().await?;
        }
        Ok(if self.whole.is_empty() { self.first } else { self.whole.freeze() })
    }

    async fn read_on(&mut self) -> Result<(), Fault> {
        let Some(frame) = self.body.frame().await else {
            self.ended = true;
            return Ok(());
        };
        let Ok(data) = frame.map_err(broken)?.into_data() else { return Ok(()) };
        self.length += data.len();
        if self.length > self.limit {
            return Err(too_large());
        }
        self.share.cover(self.length).await?;
        self.keep(data);
        Ok(())
    }

    /// A body that comes in one piece is not copied.
    fn keep(&mut self, data: Bytes) {
        if self.first.is_empty() && self.whole.is_empty() {
            self.first = data;
            return;
        }
        self.whole.extend_from_slice(&std::mem::take(&mut self.first));
        self.whole.extend_from_slice(&data);
    }
}

/// Whoever reads a body that is bound to a signature is told in a fault what is wrong with it.
fn broken(error: BoxError) -> Fault {
    match error.downcast::<Fault>() {
        Ok(fault) => *fault,
        Err(error) => {
            Fault::sender("RequestTimeout", "The request's body did not arrive whole.").because(error)
        }
    }
}

pub(crate) fn too_large() -> Fault {
    Fault::with_status("RequestEntityTooLargeException", 413, "Request is larger than the service takes.")
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Poll};
    use std::time::Duration;

    use http_body::Frame;

    use super::*;
    use crate::budget::Budget;

    /// A body in pieces of a KiB, which counts how many of them were taken.
    struct Pieces {
        count: usize,
        taken: Arc<AtomicUsize>,
    }

    impl http_body::Body for Pieces {
        type Data = Bytes;
        type Error = BoxError;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
            let taken = self.taken.load(Ordering::Relaxed);
            if taken == self.count {
                return Poll::Ready(None);
            }
            self.taken.store(taken + 1, Ordering::Relaxed);
            Poll::Ready(Some(Ok(Frame::data(Bytes::from(vec![taken as u8; 1024])))))
        }
    }

    fn pieces(count: usize) -> (Body, Arc<AtomicUsize>) {
        let taken = Arc::new(AtomicUsize::new(0));
        (Pieces { count, taken: taken.clone() }.boxed_unsync(), taken)
    }

    fn head(announced: Option<usize>) -> Parts {
        let mut request = http::Request::builder();
        if let Some(length) = announced {
            request = request.header("content-length", length.to_string());
        }
        request.body(()).unwrap().into_parts().0
    }

    fn share(kib: u32) -> Share {
        Budget::of(kib, 0, Duration::from_millis(10)).share()
    }

    #[tokio::test]
    async fn a_body_is_read_whole_within_its_limit() {
        let share = share(8);
        for (count, limit, read) in [(0, 0, true), (1, 1024, true), (4, 4096, true), (4, 4095, false)] {
            let reading = Reading::begin(&head(None), pieces(count).0, limit, &share).unwrap();
            let whole: Vec<u8> = (0..count).flat_map(|n| [n as u8; 1024]).collect();
            let expected = if read { Ok(Bytes::from(whole)) } else { Err(413) };
            assert_eq!(reading.finish().await.map_err(|fault| fault.status), expected, "{count}");
        }
        assert!(Reading::begin(&head(Some(1025)), pieces(1).0, 1024, &share).is_err());
        assert!(Reading::begin(&head(None), homeport_service::full("123"), 2, &share).is_err());
    }

    #[tokio::test]
    async fn no_more_is_read_than_is_asked_for() {
        let share = share(16);
        for (announced, count, within, read) in
            [(None, 4, true, 4), (Some(4096), 4, true, 4), (None, 8, false, 5), (Some(8192), 8, false, 0)]
        {
            let (body, taken) = pieces(count);
            let mut reading = Reading::begin(&head(announced), body, 16 << 10, &share).unwrap();
            assert_eq!(reading.is_within(4096).await.unwrap(), within, "{announced:?} {count}");
            assert_eq!(taken.load(Ordering::Relaxed), read, "{announced:?} {count}");
            assert_eq!(reading.finish().await.unwrap().len(), count * 1024);
        }
    }

    #[tokio::test]
    async fn what_is_read_counts_and_not_what_is_announced() {
        let budget = Budget::of(4, 0, Duration::from_millis(10));
        let (one, other) = (budget.share(), budget.share());
        let announcing = Reading::begin(&head(Some(4096)), pieces(1).0, 1 << 20, &one).unwrap();
        let fits = Reading::begin(&head(None), pieces(4).0, 1 << 20, &other).unwrap();
        assert_eq!(fits.finish().await.unwrap().len(), 4096);
        assert_eq!(announcing.finish().await.unwrap_err().status, 503);
        drop(other);
        let again = Reading::begin(&head(None), pieces(4).0, 1 << 20, &one).unwrap();
        assert_eq!(again.finish().await.unwrap().len(), 4096);
        let more = Reading::begin(&head(None), pieces(5).0, 1 << 20, &one).unwrap();
        assert_eq!(more.finish().await.unwrap_err().status, 503);
    }
}
