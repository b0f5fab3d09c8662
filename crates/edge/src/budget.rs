use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use homeport_core::Fault;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// What all bodies that are read whole may hold at once, in KiB.
const KIB: u32 = 1 << 20;
/// What a body may have in bytes without a share: bodies that others leave unfinished stop none that is this small, and
/// how many there are of those is bounded by connections and streams.
const SMALL: usize = 16 * 1024;
/// How long a body waits for others to end.
const PATIENCE: Duration = Duration::from_secs(5);

/// The memory for bodies that are read whole, over all calls of a process.
pub(crate) struct Budget {
    free: Semaphore,
    small: usize,
    patience: Duration,
}

impl Budget {
    pub(crate) fn new() -> Arc<Self> {
        Self::of(KIB, SMALL, PATIENCE)
    }

    pub(crate) fn of(kib: u32, small: usize, patience: Duration) -> Arc<Self> {
        Arc::new(Self { free: Semaphore::new(kib as usize), small, patience })
    }

    /// A call's share, of nothing yet.
    pub(crate) fn share(self: &Arc<Self>) -> Share {
        Share { budget: self.clone(), kib: AtomicU32::new(0) }
    }
}

/// What one call's body holds of the budget, until the call is answered.
pub(crate) struct Share {
    budget: Arc<Budget>,
    kib: AtomicU32,
}

impl Share {
    /// Has room for so many bytes in all. Where others take it for too long, the client is to try again.
    pub(crate) async fn cover(&self, bytes: usize) -> Result<(), Fault> {
        if bytes <= self.budget.small {
            return Ok(());
        }
        let needed = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX);
        let more = needed.saturating_sub(self.kib.load(Ordering::Relaxed));
        if more == 0 {
            return Ok(());
        }
        match timeout(self.budget.patience, self.budget.free.acquire_many(more)).await {
            Ok(Ok(taken)) => {
                taken.forget();
                self.kib.fetch_add(more, Ordering::Relaxed);
                Ok(())
            }
            Ok(Err(_)) | Err(_) => Err(busy()),
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.free.add_permits(*self.kib.get_mut() as usize);
    }
}

fn busy() -> Fault {
    Fault::with_status("ServiceUnavailable", 503, "Please reduce your request rate.")
        .because("the bodies of other calls take all the memory there is for them")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn a_share_is_given_back_when_its_call_ends() {
        let budget = Budget::of(4, 0, Duration::from_millis(20));
        let (one, other) = (budget.share(), budget.share());
        one.cover(1).await.unwrap();
        one.cover(3 * 1024).await.unwrap();
        other.cover(1024).await.unwrap();
        assert_eq!(budget.free.available_permits(), 0);
        let refused = other.cover(1025).await.unwrap_err();
        assert_eq!((&*refused.code, refused.status), ("ServiceUnavailable", 503));
        drop(one);
        other.cover(4 * 1024).await.unwrap();
        drop(other);
        assert_eq!(budget.free.available_permits(), 4);
    }

    #[tokio::test]
    async fn a_body_waits_for_another_to_end() {
        let budget = Budget::of(4, 0, LONG);
        let (one, other) = (budget.share(), budget.share());
        one.cover(4 * 1024).await.unwrap();
        let waiting = tokio::spawn(async move { other.cover(2 * 1024).await });
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!waiting.is_finished());
        drop(one);
        waiting.await.unwrap().unwrap();
        assert_eq!(budget.free.available_permits(), 4);
    }

    #[tokio::test]
    async fn a_small_body_waits_for_nobody() {
        let budget = Budget::of(4, 2048, Duration::from_millis(20));
        let (one, other) = (budget.share(), budget.share());
        one.cover(4 * 1024).await.unwrap();
        other.cover(2048).await.unwrap();
        assert_eq!(other.cover(2049).await.unwrap_err().status, 503);
        drop(one);
        other.cover(2049).await.unwrap();
        assert_eq!(budget.free.available_permits(), 1);
    }
}
