//! The default engine: a folder, kept by fjall, with our own validation.
//!
//! A transaction reads the published snapshot. One committer thread validates transactions in order, writes
//! them in groups with the journal flushed, and then publishes: nothing is visible before it is durable.

mod committer;
mod folder;
mod journal;
mod merger;
mod pace;
mod row_cache;

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use fjall::{Database, Keyspace, Readable};
use tokio::sync::oneshot;

use crate::commit::{Commit, Count, Counted, Refused};
use crate::engine::requests::Request;
use crate::range::Row;
use crate::watch::Watchers;
use crate::{Direction, MAX_PAGE_BYTES, OpenError, Page, Range, StoreError};

use committer::Committer;
use folder::Held;
use pace::Pace;
use row_cache::RowCache;

/// A scan reads so many rows, of so many bytes, before it leaves the runtime's threads for the rest.
const FIRST_ROWS: usize = 64;
const FIRST_BYTES: usize = 64 << 10;

/// How much memory the embedded engine may take.
#[derive(Clone, Debug)]
pub struct EmbeddedOptions {
    /// Rows read or written lately, which are read without leaving the caller's thread. Production with much
    /// memory wants much more.
    pub row_cache_bytes: usize,
    /// Blocks of files read lately. Production wants what the hot part of the data takes.
    pub block_cache_bytes: u64,
    /// Writes that are gathered before they become a file. More means fewer, bigger files and a longer replay
    /// after a crash.
    pub memtable_bytes: u64,
    /// What merging makes files of, when a folder is made. Smaller ones are merged sooner, and there are more of them.
    pub file_bytes: u64,
}

impl Default for EmbeddedOptions {
    /// What suits a laptop: a few megabytes each.
    fn default() -> Self {
        Self {
            row_cache_bytes: 8 << 20,
            block_cache_bytes: 8 << 20,
            memtable_bytes: 8 << 20,
            file_bytes: 16 << 20,
        }
    }
}

pub(crate) struct Embedded {
    committer: Committer,
    current: Arc<Current>,
    /// Last, so that the folder is given free after all else is closed.
    _held: Held,
}

impl Embedded {
    pub(crate) async fn open(
        folder: &Path,
        options: EmbeddedOptions,
        watchers: Arc<Watchers>,
    ) -> Result<Self, OpenError> {
        let folder: PathBuf = folder.to_owned();
        let opened =
            tokio::task::spawn_blocking(move || Self::open_blocking(&folder, &options, watchers)).await;
        opened.map_err(|error| OpenError::Engine(Box::new(error)))?
    }

    fn open_blocking(
        folder: &Path,
        options: &EmbeddedOptions,
        watchers: Arc<Watchers>,
    ) -> Result<Self, OpenError> {
        let (held, opened) = folder::open(folder, options)?;
        let cache = Arc::new(RowCache::new(options.row_cache_bytes));
        let pace = Arc::default();
        let tree = Tree { database: opened.database, keyspace: opened.keyspace, cache, pace };
        let current = Arc::new(Current(RwLock::new(Arc::new(tree.published(opened.version)))));
        let committer = Committer::start(tree, Arc::clone(&current), watchers, options.memtable_bytes)?;
        Ok(Self { committer, current, _held: held })
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot(self.current.get())
    }

    pub(crate) async fn commit(&self, commit: Commit) -> Result<u64, Refused> {
        let (reply, answer) = oneshot::channel();
        let size = commit.size();
        self.committer.queue(Request::Commit(Box::new(commit), reply), size).await;
        answer.await.unwrap_or_else(|gone| Err(Refused::Failed(failed(gone))))
    }

    pub(crate) async fn count(&self, count: Count) -> Result<Counted, StoreError> {
        let (reply, answer) = oneshot::channel();
        let size = count.key.len();
        self.committer.queue(Request::Count(count, reply), size).await;
        answer.await.unwrap_or_else(|gone| Err(failed(gone)))
    }
}

/// fjall's handles and the cache over them.
struct Tree {
    database: Database,
    keyspace: Keyspace,
    cache: Arc<RowCache>,
    pace: Arc<Pace>,
}

impl Tree {
    /// What is durable now, as the commit `version` left it.
    fn published(&self, version: u64) -> Published {
        Published {
            version,
            snapshot: self.database.snapshot(),
            keyspace: self.keyspace.clone(),
            cache: Arc::clone(&self.cache),
            pace: Arc::clone(&self.pace),
            in_memory: self.keyspace.table_count() == 0,
        }
    }
}

/// What new transactions read.
struct Current(RwLock<Arc<Published>>);

impl Current {
    fn get(&self) -> Arc<Published> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn set(&self, published: Published) {
        let before = std::mem::replace(
            &mut *self.0.write().unwrap_or_else(PoisonError::into_inner),
            Arc::new(published),
        );
        // Closing a snapshot takes a lock of fjall's: not while readers wait.
        drop(before);
    }
}

struct Published {
    version: u64,
    snapshot: fjall::Snapshot,
    keyspace: Keyspace,
    cache: Arc<RowCache>,
    pace: Arc<Pace>,
    /// Whether there were no files when this was published. Files made since are still in the page cache.
    in_memory: bool,
}

impl Published {
    fn cached(&self, key: &[u8]) -> Option<Option<Bytes>> {
        self.cache.get(key, self.version)
    }

    /// Reads past the row cache: may wait for the disk.
    fn load(&self, key: &Bytes) -> Result<Option<Bytes>, StoreError> {
        let value = self.snapshot.get(&self.keyspace, key).map_err(failed)?;
        let value = value.map(|value| Bytes::copy_from_slice(&value));
        self.cache.loaded(key, value.as_ref(), self.version);
        Ok(value)
    }

    fn get(&self, key: &Bytes) -> Result<Option<Bytes>, StoreError> {
        self.cached(key).map_or_else(|| self.load(key), Ok)
    }

    /// Rows until there are `limit`, or one passes `most` bytes.
    fn scan(
        &self,
        range: &Range,
        direction: Direction,
        limit: usize,
        most: usize,
    ) -> Result<Page, StoreError> {
        let bounds = range.from.as_ref()..range.to.as_ref();
        let mut rows = self.snapshot.range(&self.keyspace, bounds);
        let mut page = Page::default();
        let mut size = 0;
        loop {
            let next = match direction {
                Direction::Forward => rows.next(),
                Direction::Backward => rows.next_back(),
            };
            let Some(guard) = next else { return Ok(page) };
            if page.rows.len() == limit || size >= most {
                page.more = true;
                return Ok(page);
            }
            let (key, value) = guard.into_inner().map_err(failed)?;
            let row = Row { key: Bytes::copy_from_slice(&key), value: Bytes::copy_from_slice(&value) };
            size += row.size();
            page.rows.push(row);
        }
    }
}

pub(crate) struct Snapshot(Arc<Published>);

impl Snapshot {
    pub(crate) fn version(&self) -> u64 {
        self.0.version
    }

    pub(crate) async fn get(&self, key: &Bytes) -> Result<Option<Bytes>, StoreError> {
        if let Some(value) = self.0.cached(key) {
            return Ok(value);
        }
        if self.0.in_memory || self.0.pace.is_quick() {
            return self.0.pace.timed(|| self.0.load(key));
        }
        let key = key.clone();
        self.off_the_runtime(move |published| published.load(&key)).await
    }

    pub(crate) async fn get_many(&self, keys: Vec<Bytes>) -> Result<Vec<Option<Bytes>>, StoreError> {
        if self.0.in_memory || (self.0.pace.is_quick() && keys.len() <= FIRST_ROWS) {
            return self.0.pace.timed(|| keys.iter().map(|key| self.0.get(key)).collect());
        }
        let cached: Vec<_> = keys.iter().map(|key| self.0.cached(key)).collect();
        if cached.iter().all(Option::is_some) {
            return Ok(cached.into_iter().flatten().collect());
        }
        self.off_the_runtime(move |published| {
            let all = keys.iter().zip(cached);
            all.map(|(key, cached)| cached.map_or_else(|| published.load(key), Ok)).collect()
        })
        .await
    }

    pub(crate) async fn scan(
        &self,
        range: Range,
        direction: Direction,
        limit: usize,
    ) -> Result<Page, StoreError> {
        if self.0.in_memory {
            return self.0.scan(&range, direction, limit, MAX_PAGE_BYTES);
        }
        let mut page = Page::default();
        let mut rest = range;
        if self.0.pace.is_quick() {
            let first = limit.min(FIRST_ROWS);
            page = self.0.pace.timed(|| self.0.scan(&rest, direction, first, FIRST_BYTES))?;
            let Some(last) = page.rows.last().filter(|_| page.more && page.rows.len() < limit) else {
                return Ok(page);
            };
            rest = match direction {
                Direction::Forward => rest.after(&last.key),
                Direction::Backward => rest.before(&last.key),
            };
        }
        let left = limit - page.rows.len();
        let most = MAX_PAGE_BYTES.saturating_sub(page.rows.iter().map(Row::size).sum());
        let more = move |published: &Published| published.scan(&rest, direction, left, most);
        let behind = self.off_the_runtime(more).await?;
        page.rows.extend(behind.rows);
        page.more = behind.more;
        Ok(page)
    }

    async fn off_the_runtime<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Published) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let published = Arc::clone(&self.0);
        let timed = move || published.pace.timed(|| read(&published));
        let outcome = tokio::task::spawn_blocking(timed).await;
        outcome.unwrap_or_else(|error| Err(failed(error)))
    }
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Engine(Arc::new(error))
}
