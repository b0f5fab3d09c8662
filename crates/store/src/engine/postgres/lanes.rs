//! The connections that single keys are read by. Each such read is a statement of its own, so that many transactions may
//! share a connection: one's question is sent behind another's, and costs no turn of its own.

use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::timeout;

use super::connect::{Hosts, PATIENCE};
use super::readers::Prepared;
use super::trouble::away;
use crate::StoreError;

pub(super) struct Lanes {
    hosts: Arc<Hosts>,
    lanes: Vec<Lane>,
    /// Where the search for a free lane begins.
    next: AtomicUsize,
}

#[derive(Default)]
struct Lane {
    reader: Mutex<Option<Arc<Prepared>>>,
    /// Held by who connects: others that come to this lane wait for the same connection.
    connecting: tokio::sync::Mutex<()>,
    /// How many wait for an answer.
    waiting: AtomicUsize,
}

/// A place in a lane until this is dropped.
pub(super) struct Place<'l> {
    reader: Arc<Prepared>,
    _turn: Turn<'l>,
}

struct Turn<'l>(&'l Lane);

impl Lanes {
    pub(super) fn new(hosts: Arc<Hosts>, count: usize) -> Self {
        let lanes = (0..count).map(|_| Lane::default()).collect();
        Self { hosts, lanes, next: AtomicUsize::default() }
    }

    /// A place where the fewest wait.
    pub(super) async fn place(&self) -> Result<Place<'_>, StoreError> {
        let turn = Turn::of(self.shortest());
        if let Some(reader) = turn.0.reader(&self.hosts) {
            return Ok(Place { reader, _turn: turn });
        }
        let connected = timeout(PATIENCE, turn.0.connect(&self.hosts)).await;
        match connected.unwrap_or_else(|_| Err(away("no connection came free"))) {
            Ok(reader) => Ok(Place { reader, _turn: turn }),
            // The database may take no more connections, and serve those that there are.
            Err(error) => self.connected().ok_or(error),
        }
    }

    /// A place where the fewest wait, of those where nobody has to connect.
    fn connected(&self) -> Option<Place<'_>> {
        let connected = self.lanes.iter().filter_map(|lane| Some((lane, lane.reader(&self.hosts)?)));
        let (lane, reader) = connected.min_by_key(|(lane, _)| lane.waiting())?;
        Some(Place { reader, _turn: Turn::of(lane) })
    }

    fn shortest(&self) -> &Lane {
        let (count, first) = (self.lanes.len(), self.next.fetch_add(1, Ordering::Relaxed));
        let mut shortest = &self.lanes[first % count];
        for turn in 1..count {
            if shortest.waiting() == 0 {
                break;
            }
            let lane = &self.lanes[first.wrapping_add(turn) % count];
            if lane.waiting() < shortest.waiting() {
                shortest = lane;
            }
        }
        shortest
    }
}

impl Lane {
    fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Its connection, if that can be used.
    fn reader(&self, hosts: &Hosts) -> Option<Arc<Prepared>> {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        reader.as_ref().filter(|reader| !reader.is_closed() && !hosts.is_stale(reader)).cloned()
    }

    async fn connect(&self, hosts: &Hosts) -> Result<Arc<Prepared>, StoreError> {
        let _alone = self.connecting.lock().await;
        if let Some(reader) = self.reader(hosts) {
            return Ok(reader);
        }
        let made = Arc::new(Prepared::connect(hosts).await?);
        *self.reader.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&made));
        Ok(made)
    }
}

impl<'l> Turn<'l> {
    fn of(lane: &'l Lane) -> Self {
        lane.waiting.fetch_add(1, Ordering::Relaxed);
        Self(lane)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Deref for Place<'_> {
    type Target = Prepared;

    fn deref(&self) -> &Prepared {
        &self.reader
    }
}
