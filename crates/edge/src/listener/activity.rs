use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// What happens on a connection, told by its stream and its requests to the watch that ends it when nothing does.
#[derive(Debug)]
pub(crate) struct Activity {
    opened: Instant,
    /// Milliseconds from `opened` to the last byte read or written; with HTTP/2, to the last request or part of an answer.
    last_move: AtomicU64,
    /// Milliseconds from `opened` to the first byte of the head that is being read, plus one; zero: none is.
    head_began: AtomicU64,
    requests: AtomicU32,
}

/// A request that runs until this is dropped.
pub(crate) struct Running<'a>(&'a Activity);

impl Activity {
    pub(crate) fn new() -> Self {
        Self {
            opened: Instant::now(),
            last_move: AtomicU64::new(0),
            head_began: AtomicU64::new(0),
            requests: AtomicU32::new(0),
        }
    }

    fn elapsed(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    pub(crate) fn moved(&self) {
        self.last_move.store(self.elapsed(), Ordering::Relaxed);
    }

    /// Says whether a head has begun and not ended.
    pub(crate) fn in_head(&self, in_head: bool) {
        let began = self.head_began.load(Ordering::Relaxed) != 0;
        if began != in_head {
            let at = if in_head { self.elapsed().saturating_add(1) } else { 0 };
            self.head_began.store(at, Ordering::Relaxed);
        }
    }

    pub(crate) fn request(&self) -> Running<'_> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        Running(self)
    }

    /// How long the head that is being read has taken so far.
    pub(crate) fn head_age(&self) -> Option<Duration> {
        let began = self.head_began.load(Ordering::Relaxed).checked_sub(1)?;
        Some(Duration::from_millis(self.elapsed().saturating_sub(began)))
    }

    /// How long nothing has moved; `None` while a request runs.
    pub(crate) fn rest(&self) -> Option<Duration> {
        let last = self.last_move.load(Ordering::Relaxed);
        let idle = self.requests.load(Ordering::Relaxed) == 0;
        idle.then(|| Duration::from_millis(self.elapsed().saturating_sub(last)))
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.moved();
        self.0.requests.fetch_sub(1, Ordering::Relaxed);
    }
}
