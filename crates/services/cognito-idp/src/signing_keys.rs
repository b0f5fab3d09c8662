//! Pools' signing keys: made with the pool, sealed in the store, parsed once per process, replaced every 90 days. A
//! key that was replaced verifies for the longest life of a token, and no longer, whatever is stored; then it is
//! deleted (security decision 12), by the next sign-in or by the day's sweep.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use homeport_core::Timestamp;
use homeport_jwt::{KeySet, SigningKey};
use homeport_store::{Changes, KeyParts, Store, StoreError, Tx};
use homeport_vault::{Place, Purpose, Vault};

use crate::CognitoIdp;
use crate::error::IdpError;
use crate::pool_ref::PoolRef;
use crate::records::{KEYS, PoolKeys, StoredKey};

/// Pools whose keys are kept ready; when full, the cache starts anew.
const CACHED_POOLS: usize = 1_000;

/// How long a key signs, in seconds.
const SIGNS_SECONDS: i64 = 90 * 86_400;
/// The longest life of an ID or access token, in seconds: so long a retired key verifies.
const VERIFIES_SECONDS: i64 = 86_400;

/// Pools whose keys one step of a sweep looks at.
const STEP_POOLS: usize = 100;

/// A pool's keys, ready to use.
pub(crate) struct ReadyKeys {
    /// When the keys are to be changed: one replaced, or a retired one deleted.
    due: Timestamp,
    /// When another key is to sign.
    replaced: Timestamp,
    /// When the first of those that verify stops; the keys are read anew then.
    stops: Option<Timestamp>,
    /// What signs.
    pub(crate) signing: SigningKey,
    /// What verifies.
    pub(crate) set: KeySet,
}

/// Keys as they were read; dropped when any pool's keys change.
pub(crate) struct KeyCache {
    ready: Mutex<HashMap<PoolRef, Arc<ReadyKeys>>>,
    /// Numbers the states, so that what was read before a change is not kept after it.
    changes: Changes,
    seen: AtomicU64,
    /// Pools whose keys are being changed.
    tended: Arc<Mutex<HashSet<PoolRef>>>,
}

impl KeyCache {
    /// A cache that follows this store.
    pub(crate) fn follow(store: &Store) -> Self {
        let changes = store.changes(&KEYS.root());
        Self { ready: Mutex::default(), changes, seen: AtomicU64::new(0), tended: Arc::default() }
    }

    /// The keys of a pool that sign and verify now; none when there is no such pool (any more).
    pub(crate) async fn of(
        &self,
        store: &Store,
        vault: &Vault,
        pool: &PoolRef,
        now: Timestamp,
    ) -> Result<Option<Arc<ReadyKeys>>, IdpError> {
        let changes = self.changes.current();
        if let Some(ready) = self.cached(pool, changes, now) {
            return Ok(Some(ready));
        }
        let stored = store.read(|tx| async move { KEYS.get(&tx, pool.parts()).await }).await?;
        let Some(stored) = stored else {
            return Ok(None);
        };
        let opened = Arc::new(open(vault, &stored, now)?);
        let mut ready = lock(&self.ready);
        if self.changes.current() == changes {
            if ready.len() >= CACHED_POOLS {
                ready.clear();
            }
            ready.insert(pool.clone(), opened.clone());
        }
        Ok(Some(opened))
    }

    fn cached(&self, pool: &PoolRef, changes: u64, now: Timestamp) -> Option<Arc<ReadyKeys>> {
        let mut ready = lock(&self.ready);
        if self.seen.swap(changes, Ordering::SeqCst) != changes {
            ready.clear();
        }
        ready.get(pool).filter(|keys| keys.stops.is_none_or(|stops| now < stops)).cloned()
    }
}

/// A new pool's keys. Takes a tenth of a second: for a blocking thread.
pub(crate) fn make(vault: &Vault, pool: &PoolRef, now: Timestamp) -> Result<PoolKeys, IdpError> {
    Ok(PoolKeys { pool: pool.clone(), keys: vec![make_one(vault, pool, now)?] })
}

impl CognitoIdp {
    /// Changes a pool's keys if that is due; beside the call, not in it, and once however many calls find it due.
    pub(crate) fn care_for_keys(&self, pool: &PoolRef, keys: &ReadyKeys, now: Timestamp) {
        if now < keys.due || !lock(&self.keys.tended).insert(pool.clone()) {
            return;
        }
        let (parts, permits, tended) = (self.parts.clone(), self.permits.clone(), self.keys.tended.clone());
        let (pool, replaces) = (pool.clone(), now >= keys.replaced);
        tokio::spawn(async move {
            let (vault, of) = (parts.vault.clone(), pool.clone());
            let made = match replaces {
                true => permits.run(move || make_one(&vault, &of, now).ok()).await.ok().flatten(),
                false => None,
            };
            let changed: Result<(), StoreError> = parts
                .store
                .write(|tx| {
                    let (pool, made) = (&pool, made.as_ref());
                    async move { change(&tx, pool, made, now).await }
                })
                .await;
            // What failed is due still, and the next sign-in tries again.
            drop(changed);
            lock(&tended).remove(&pool);
        });
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Puts the new key first if the present one has signed long enough, and deletes those that verify nothing any more.
async fn change(tx: &Tx, pool: &PoolRef, new: Option<&StoredKey>, now: Timestamp) -> Result<(), StoreError> {
    let Some(mut stored) = KEYS.get(tx, pool.parts()).await? else {
        return Ok(());
    };
    let is_old = |key: &StoredKey| now.seconds_since(key.made) >= SIGNS_SECONDS;
    if let Some(new) = new
        && stored.keys.first().is_some_and(is_old)
    {
        stored.keys.iter_mut().for_each(|key| key.retired = key.retired.or(Some(now)));
        stored.keys.insert(0, new.clone());
    }
    stored.keys.retain(|key| verifies(key, now));
    KEYS.put(tx, &stored).await
}

/// Deletes the keys of all pools that verify nothing any more, step by step.
pub(crate) async fn sweep(store: &Store, now: Timestamp) -> Result<(), StoreError> {
    let mut after = None;
    loop {
        let from = after.as_deref();
        let cursor: Result<_, StoreError> = store
            .write(|tx| async move {
                let page = KEYS.page(&tx, KeyParts::new(), from, STEP_POOLS).await?;
                let has_ended = |stored: &&PoolKeys| !stored.keys.iter().all(|key| verifies(key, now));
                for stored in page.records.iter().filter(has_ended) {
                    change(&tx, &stored.pool, None, now).await?;
                }
                Ok(page.cursor)
            })
            .await;
        after = cursor?;
        if after.is_none() {
            return Ok(());
        }
    }
}

/// When a key stops verifying; none while it signs.
fn stops(key: &StoredKey) -> Option<Timestamp> {
    key.retired.map(|since| since.plus_seconds(VERIFIES_SECONDS))
}

fn verifies(key: &StoredKey, now: Timestamp) -> bool {
    stops(key).is_none_or(|stops| now < stops)
}

/// When the keys are next to be changed.
fn due(stored: &PoolKeys) -> Timestamp {
    let changes = stored.keys.iter().map(|key| stops(key).unwrap_or(key.made.plus_seconds(SIGNS_SECONDS)));
    changes.min().unwrap_or_default()
}

fn make_one(vault: &Vault, pool: &PoolRef, now: Timestamp) -> Result<StoredKey, IdpError> {
    let key = SigningKey::generate().map_err(|fault| IdpError::Internal(fault.to_string()))?;
    let der = key.to_pkcs8().map_err(|fault| IdpError::Internal(fault.to_string()))?;
    let parts = pool.parts();
    let private = vault.seal(Purpose::UserPool, &place(parts.as_bytes()), &der)?;
    Ok(StoredKey { kid: key.public().kid().to_owned(), made: now, retired: None, private })
}

/// Puts a new pool's keys; in the transaction that makes the pool.
pub(crate) async fn put(tx: &Tx, keys: &PoolKeys) -> Result<(), StoreError> {
    KEYS.put(tx, keys).await
}

fn open(vault: &Vault, stored: &PoolKeys, now: Timestamp) -> Result<ReadyKeys, IdpError> {
    let parts = stored.pool.parts();
    let mut keys = Vec::with_capacity(stored.keys.len());
    let verifying = || stored.keys.iter().filter(|key| verifies(key, now));
    for key in verifying() {
        let der = vault.open(&place(parts.as_bytes()), &key.private)?;
        keys.push(
            SigningKey::from_pkcs8(der.expose()).map_err(|fault| IdpError::Internal(fault.to_string()))?,
        );
    }
    let set = KeySet::new(keys.iter().map(|key| key.public().clone()).collect());
    let signing = keys.into_iter().next().ok_or_else(|| IdpError::Internal("a pool without keys".into()))?;
    let replaced = stored.keys.first().map(|key| key.made.plus_seconds(SIGNS_SECONDS)).unwrap_or_default();
    let stops = verifying().filter_map(stops).min();
    Ok(ReadyKeys { due: due(stored), replaced, stops, signing, set })
}

fn place(key: &[u8]) -> Place<'_> {
    Place { collection: "cognito-idp.keys", key, field: "private" }
}
