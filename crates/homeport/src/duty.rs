//! Work that must not be done twice: of all nodes on a store one does it at a time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use homeport_core::SharedClock;
use homeport_store::{Lease, Store, StoreError};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::node::Node;

/// How long a lease outlives its holder. Nodes' clocks may differ by [`MARGIN`] before two hold it at once.
const LIFE: Duration = Duration::from_secs(12);
/// How soon before its end a holder doesn't count on it any more.
const MARGIN: Duration = Duration::from_secs(6);
/// How often it is kept.
const KEEP_EVERY: Duration = Duration::from_secs(2);
/// How often a node looks whether a lease is free.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How long the program waits at its end for leases to be given back.
const GIVE_BACK: Duration = Duration::from_secs(2);

/// Whether this node may go on.
#[derive(Clone)]
pub(crate) enum Held {
    /// There are no other nodes.
    Alone,
    /// A lease's last renewal.
    Until(Arc<Mutex<Instant>>),
}

impl Held {
    fn from(now: Instant) -> Self {
        Self::Until(Arc::new(Mutex::new(now + LIFE - MARGIN)))
    }

    fn renewed(&self, at: Instant) {
        if let Self::Until(until) = self {
            *until.lock().unwrap_or_else(PoisonError::into_inner) = at + LIFE - MARGIN;
        }
    }

    /// To be asked before what can't be taken back: a process that was stopped for a while comes back without its lease.
    pub(crate) fn holds(&self) -> bool {
        match self {
            Self::Alone => true,
            Self::Until(until) => Instant::now() < *until.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }
}

/// The duties of this node.
pub(crate) struct Duties {
    roster: Roster,
    ending: watch::Sender<bool>,
    running: Mutex<JoinSet<()>>,
}

/// What a duty needs to be taken.
#[derive(Clone)]
struct Roster {
    store: Store,
    clock: SharedClock,
    node: Node,
    ending: watch::Receiver<bool>,
}

impl Duties {
    pub(crate) fn new(store: Store, clock: SharedClock, node: Node) -> Self {
        let (ending, heard) = watch::channel(false);
        Self { roster: Roster { store, clock, node, ending: heard }, ending, running: Mutex::default() }
    }

    /// Runs `work` whenever this node may: for good where it has no neighbours, else while it holds the lease `name`.
    /// Work that ends begins anew; it is dropped when the lease is lost.
    pub(crate) fn take<F, Fut>(&self, name: &'static str, work: F)
    where
        F: Fn(Held) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send,
    {
        let roster = self.roster.clone();
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.spawn(async move { roster.run(name, work).await });
    }

    /// Gives all leases back, so that other nodes need not wait until they end.
    pub(crate) async fn end(&self) {
        self.ending.send_replace(true);
        let mut running = std::mem::take(&mut *self.running.lock().unwrap_or_else(PoisonError::into_inner));
        let all = async { while running.join_next().await.is_some() {} };
        _ = tokio::time::timeout(GIVE_BACK, all).await;
    }
}

impl Roster {
    async fn run<F, Fut>(mut self, name: &'static str, work: F)
    where
        F: Fn(Held) -> Fut,
        Fut: Future<Output = ()>,
    {
        let mut ending = self.ending.clone();
        tokio::select! {
            () = self.turns(name, work) => {}
            _ = ending.wait_for(|ending| *ending) => {}
        }
        self.give_back(name).await;
    }

    async fn turns<F, Fut>(&mut self, name: &'static str, work: F)
    where
        F: Fn(Held) -> Fut,
        Fut: Future<Output = ()>,
    {
        loop {
            if !self.store.has_neighbours() {
                work(Held::Alone).await;
                continue;
            }
            match self.acquire(name).await {
                Ok(Some((lease, held))) => {
                    tokio::select! {
                        () = work(held.clone()) => {}
                        () = self.keep(lease, &held) => tracing::warn!(name, "another node goes on"),
                    }
                }
                Ok(None) => {}
                Err(error) => tracing::debug!(name, %error, "who has a duty can't be asked"),
            }
            sleep(LOOK_EVERY).await;
        }
    }

    async fn acquire(&self, name: &str) -> Result<Option<(Lease, Held)>, StoreError> {
        let began = Instant::now();
        let lease = Lease::acquire(&self.store, name, &self.node.name(), self.clock.now(), LIFE).await?;
        Ok(lease.map(|lease| (lease, Held::from(began))))
    }

    /// Returns when the lease is lost.
    async fn keep(&self, mut lease: Lease, held: &Held) {
        loop {
            sleep(KEEP_EVERY).await;
            let began = Instant::now();
            match lease.renew(&self.store, self.clock.now(), LIFE).await {
                Ok(()) => held.renewed(began),
                Err(StoreError::LeaseLost { .. }) => return,
                Err(_) if held.holds() => {}
                Err(_) => return,
            }
        }
    }

    /// The holder is given its own lease anew, and so can give it back.
    async fn give_back(&self, name: &str) {
        if self.store.has_neighbours()
            && let Ok(Some((lease, _))) = self.acquire(name).await
            && let Err(error) = lease.release(&self.store).await
        {
            tracing::debug!(name, %error, "a duty could not be given back");
        }
    }
}
