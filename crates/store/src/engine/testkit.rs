//! The tests' engine: an ordered map that awaits on every read and conflicts at random, by a seed.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use homeport_core::{Randomness, SeededRandomness};
use tokio::task::yield_now;

use crate::commit::{Commit, Count, Counted, Group, Refused};
use crate::conflicts::Window;
use crate::range::Row;
use crate::watch::Watchers;
use crate::{Direction, MAX_PAGE_BYTES, Page, Range, StoreError};

/// One commit in so many is refused without a reason.
const ONE_CONFLICT_IN: u8 = 4;

pub(crate) struct Testkit {
    map: Arc<Mutex<Map>>,
    chance: SeededRandomness,
    watchers: Arc<Watchers>,
}

/// Every key's versions, as far back as a snapshot needs them.
#[derive(Default)]
struct Map {
    rows: BTreeMap<Bytes, Vec<(u64, Option<Bytes>)>>,
    version: u64,
    window: Window,
    /// How many snapshots are open at each version.
    open: BTreeMap<u64, usize>,
}

impl Map {
    fn at(versions: &[(u64, Option<Bytes>)], version: u64) -> Option<Bytes> {
        versions.iter().rev().find(|(since, _)| *since <= version).and_then(|(_, value)| value.clone())
    }

    fn get(&self, key: &[u8], version: u64) -> Option<Bytes> {
        self.rows.get(key).and_then(|versions| Self::at(versions, version))
    }

    fn publish(&mut self, version: u64, changes: impl IntoIterator<Item = (Bytes, Option<Bytes>)>) {
        let oldest = self.open.keys().next().map_or(version, |oldest| *oldest);
        for (key, value) in changes {
            let versions = self.rows.entry(key.clone()).or_default();
            versions.push((version, value));
            let unseen = versions.iter().take_while(|(since, _)| *since <= oldest).count().saturating_sub(1);
            versions.drain(..unseen);
            if versions.len() == 1 && versions[0].1.is_none() {
                self.rows.remove(&key);
            }
        }
        self.version = version;
    }
}

impl Testkit {
    pub(crate) fn new(seed: u64, watchers: Arc<Watchers>) -> Self {
        Self { map: Arc::default(), chance: SeededRandomness::new(seed), watchers }
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let mut map = lock(&self.map);
        let version = map.version;
        *map.open.entry(version).or_default() += 1;
        Snapshot { map: Arc::clone(&self.map), version }
    }

    pub(crate) async fn commit(&self, commit: Commit) -> Result<u64, Refused> {
        yield_now().await;
        let mut byte = [0];
        self.chance.fill(&mut byte);
        if byte[0] % ONE_CONFLICT_IN == 0 && !commit.reads_nothing() {
            return Err(Refused::Conflict);
        }
        let cell = Arc::clone(&commit.writes.commit);
        let version = self.change(|group, below| group.take(commit, below))?;
        let _ = cell.set(version);
        Ok(version)
    }

    pub(crate) async fn count(&self, count: Count) -> Result<Counted, StoreError> {
        yield_now().await;
        self.change(|group, below| group.count(count, below))
    }

    fn change<T, E>(
        &self,
        change: impl FnOnce(&mut Group<'_>, &dyn Fn(&[u8]) -> Result<Option<Bytes>, StoreError>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut map = lock(&self.map);
        let mut window = std::mem::take(&mut map.window);
        let mut group = Group::behind(map.version, &mut window);
        let outcome = change(&mut group, &|key| Ok(map.get(key, map.version)));
        let (version, changes, touched) = group.into_parts();
        map.publish(version, changes);
        map.window = window;
        drop(map);
        self.watchers.tell(&touched);
        outcome
    }
}

pub(crate) struct Snapshot {
    map: Arc<Mutex<Map>>,
    version: u64,
}

impl Snapshot {
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    pub(crate) async fn get(&self, key: &Bytes) -> Result<Option<Bytes>, StoreError> {
        yield_now().await;
        Ok(lock(&self.map).get(key, self.version))
    }

    pub(crate) async fn get_many(&self, keys: Vec<Bytes>) -> Result<Vec<Option<Bytes>>, StoreError> {
        yield_now().await;
        let map = lock(&self.map);
        Ok(keys.iter().map(|key| map.get(key, self.version)).collect())
    }

    pub(crate) async fn scan(
        &self,
        range: Range,
        direction: Direction,
        limit: usize,
    ) -> Result<Page, StoreError> {
        yield_now().await;
        let map = lock(&self.map);
        let rows = map
            .rows
            .range::<[u8], _>((Bound::Included(range.from.as_ref()), Bound::Excluded(range.to.as_ref())))
            .filter_map(|(key, versions)| {
                Map::at(versions, self.version).map(|value| Row { key: key.clone(), value })
            });
        Ok(match direction {
            Direction::Forward => fill(rows, limit),
            Direction::Backward => fill(rows.rev(), limit),
        })
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        let mut map = lock(&self.map);
        if let Some(open) = map.open.get_mut(&self.version) {
            *open -= 1;
            if *open == 0 {
                map.open.remove(&self.version);
            }
        }
    }
}

fn fill(mut rows: impl Iterator<Item = Row>, limit: usize) -> Page {
    let mut page = Page::default();
    let mut size = 0;
    while page.rows.len() < limit && size < MAX_PAGE_BYTES {
        let Some(row) = rows.next() else { return page };
        size += row.size();
        page.rows.push(row);
    }
    page.more = rows.next().is_some();
    page
}

fn lock(map: &Mutex<Map>) -> MutexGuard<'_, Map> {
    map.lock().unwrap_or_else(PoisonError::into_inner)
}
