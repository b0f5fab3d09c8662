use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;

/// How many may wait for a permit.
const WAITERS: usize = 64;
/// How long each may wait.
const PATIENCE: Duration = Duration::from_secs(2);

/// Bounds what passwords may cost (security decision 15): as many computations at once as there are cores, at
/// most 64 waiting, two seconds each.
#[derive(Clone)]
pub(crate) struct Permits {
    running: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
}

/// Too many want to compute: `TooManyRequestsException`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Busy;

/// Counts one waiter while it lives, however its wait ends.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Permits {
    /// So many at once.
    pub(crate) fn new(at_once: usize) -> Self {
        Self { running: Arc::new(Semaphore::new(at_once.max(1))), waiting: Arc::default() }
    }

    /// Runs a costly computation on a blocking thread, once there is a permit. The permit is held until it ends,
    /// even when the caller has gone.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        costly: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let permit = match self.running.clone().try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => self.wait().await?,
        };
        let run = tokio::task::spawn_blocking(move || {
            let done = costly();
            drop(permit);
            done
        });
        run.await.map_err(|_| Busy)
    }

    async fn wait(&self) -> Result<tokio::sync::OwnedSemaphorePermit, Busy> {
        let ahead = self.waiting.fetch_add(1, Ordering::SeqCst);
        let _waiting = Waiting(&self.waiting);
        if ahead >= WAITERS {
            return Err(Busy);
        }
        match tokio::time::timeout(PATIENCE, self.running.clone().acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(Busy),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn no_more_wait_than_may() {
        let permits = Permits::new(1);
        let (release, held) = mpsc::sync_channel::<()>(1);
        let first = tokio::spawn({
            let permits = permits.clone();
            async move { permits.run(move || held.recv().is_ok()).await }
        });
        while permits.running.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let waiters: Vec<_> = (0..WAITERS)
            .map(|n| {
                let permits = permits.clone();
                tokio::spawn(async move { permits.run(move || n).await })
            })
            .collect();
        while permits.waiting.load(Ordering::SeqCst) < WAITERS {
            tokio::task::yield_now().await;
        }
        assert_eq!(permits.run(|| ()).await, Err(Busy));
        release.send(()).expect("the first still waits");
        assert_eq!(first.await.expect("not cancelled"), Ok(true));
        for (n, waiter) in waiters.into_iter().enumerate() {
            assert_eq!(waiter.await.expect("not cancelled"), Ok(n));
        }
        assert_eq!(permits.waiting.load(Ordering::SeqCst), 0);
    }

    #[tokio::test]
    async fn who_waited_too_long_is_sent_away() {
        let permits = Permits::new(1);
        let (release, held) = mpsc::sync_channel::<()>(1);
        let first = tokio::spawn({
            let permits = permits.clone();
            async move { permits.run(move || held.recv().is_ok()).await }
        });
        while permits.running.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(permits.run(|| ()).await, Err(Busy));
        release.send(()).expect("the first still waits");
        assert_eq!(first.await.expect("not cancelled"), Ok(true));
    }
}
