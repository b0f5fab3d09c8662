use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// How long a client that was answered may be silent before the rest of its request is given up.
const SILENCE: Duration = Duration::from_secs(2);
/// How long the rest of a request is waited for in all.
const LONGEST: Duration = Duration::from_secs(30);

/// The end of a connection whose client was answered while it still sent: its bytes are taken and forgotten for a
/// while, since a socket that is closed with unread input is reset, and the answer lost (RFC 9112 section 9.6).
pub(crate) struct Lingering {
    last: Instant,
    over: Pin<Box<Sleep>>,
}

impl Lingering {
    pub(crate) fn new() -> Self {
        let now = Instant::now();
        Self { last: now + LONGEST, over: Box::pin(sleep_until(now + SILENCE)) }
    }

    /// The client sent more.
    pub(crate) fn heard(&mut self) {
        self.over.as_mut().reset(self.last.min(Instant::now() + SILENCE));
    }

    /// Ready when the client was silent too long, or sent too long.
    pub(crate) fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.over.as_mut().poll(cx)
    }
}
