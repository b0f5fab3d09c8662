//! Pools' signing keys: made with the pool, sealed in the store, parsed once per process.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use homeport_core::Timestamp;
use homeport_jwt::{KeySet, SigningKey};
use homeport_store::{Store, StoreError, Tx};
use homeport_vault::{Place, Purpose, Vault};

use crate::error::IdpError;
use crate::pool_ref::PoolRef;
use crate::records::{KEYS, PoolKeys, StoredKey};

/// Pools whose keys are kept ready; when full, the cache starts anew.
const CACHED_POOLS: usize = 1_000;

/// A pool's keys, ready to use.
pub(crate) struct ReadyKeys {
    /// What signs.
    pub(crate) signing: SigningKey,
    /// What verifies.
    pub(crate) set: KeySet,
}

/// Keys as they were read; dropped when any pool's keys change.
pub(crate) struct KeyCache {
    ready: Mutex<HashMap<PoolRef, Arc<ReadyKeys>>>,
    /// Grows with each change, so that what was read before a change is not kept after it.
    changes: Arc<AtomicU64>,
    seen: AtomicU64,
}

impl KeyCache {
    /// A cache that follows this store.
    pub(crate) fn follow(store: &Store) -> Self {
        let changes = Arc::new(AtomicU64::new(0));
        let counted = changes.clone();
        store.on_change(
            &KEYS.root(),
            Arc::new(move |_| {
                counted.fetch_add(1, Ordering::SeqCst);
            }),
        );
        Self { ready: Mutex::default(), changes, seen: AtomicU64::new(0) }
    }

    /// The keys of a pool; none when there is no such pool (any more).
    pub(crate) async fn of(
        &self,
        store: &Store,
        vault: &Vault,
        pool: &PoolRef,
    ) -> Result<Option<Arc<ReadyKeys>>, IdpError> {
        let now = self.changes.load(Ordering::SeqCst);
        if let Some(ready) = self.cached(pool, now) {
            return Ok(Some(ready));
        }
        let stored = store.read(|tx| async move { KEYS.get(&tx, pool.parts()).await }).await?;
        let Some(stored) = stored else {
            return Ok(None);
        };
        let opened = Arc::new(open(vault, &stored)?);
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if self.changes.load(Ordering::SeqCst) == now {
            if ready.len() >= CACHED_POOLS {
                ready.clear();
            }
            ready.insert(pool.clone(), opened.clone());
        }
        Ok(Some(opened))
    }

    fn cached(&self, pool: &PoolRef, now: u64) -> Option<Arc<ReadyKeys>> {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if self.seen.swap(now, Ordering::SeqCst) != now {
            ready.clear();
        }
        ready.get(pool).cloned()
    }
}

/// A new pool's keys. Takes a tenth of a second: for a blocking thread.
pub(crate) fn make(vault: &Vault, pool: &PoolRef, now: Timestamp) -> Result<PoolKeys, IdpError> {
    let key = SigningKey::generate().map_err(|fault| IdpError::Internal(fault.to_string()))?;
    let der = key.to_pkcs8().map_err(|fault| IdpError::Internal(fault.to_string()))?;
    let parts = pool.parts();
    let private = vault.seal(Purpose::UserPool, &place(parts.as_bytes()), &der)?;
    let stored = StoredKey { kid: key.public().kid().to_owned(), made: now, private };
    Ok(PoolKeys { pool: pool.clone(), keys: vec![stored] })
}

/// Puts a new pool's keys; in the transaction that makes the pool.
pub(crate) async fn put(tx: &Tx, keys: &PoolKeys) -> Result<(), StoreError> {
    KEYS.put(tx, keys).await
}

fn open(vault: &Vault, stored: &PoolKeys) -> Result<ReadyKeys, IdpError> {
    let parts = stored.pool.parts();
    let mut keys = Vec::with_capacity(stored.keys.len());
    for key in &stored.keys {
        let der = vault.open(&place(parts.as_bytes()), &key.private)?;
        keys.push(
            SigningKey::from_pkcs8(der.expose()).map_err(|fault| IdpError::Internal(fault.to_string()))?,
        );
    }
    let set = KeySet::new(keys.iter().map(|key| key.public().clone()).collect());
    let signing = keys.into_iter().next().ok_or_else(|| IdpError::Internal("a pool without keys".into()))?;
    Ok(ReadyKeys { signing, set })
}

fn place(key: &[u8]) -> Place<'_> {
    Place { collection: "cognito-idp.keys", key, field: "private" }
}
