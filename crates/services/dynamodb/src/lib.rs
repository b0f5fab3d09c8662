//! DynamoDB: tables of items under partition and sort keys, with expressions on them.
//!
//! [`value`] and [`number`] are what items are made of, [`expression`] what is asked of them, [`table`] and
//! [`records`] how they lie in the store; the operations are in `operations/`, one a file, listed in
//! `operations.rs`. [`host`] makes the service.

mod access;
mod capacity;
mod description;
mod error;
pub mod expression;
mod items;
mod legacy;
pub mod number;
mod operations;
pub mod partiql;
pub mod records;
mod request;
mod sweeper;
pub mod table;
pub mod value;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use homeport_core::Scope;
use homeport_service::{Cx, Host, Hosted, Parts, ServiceSpec};
use homeport_store::{StoreError, Tx};

pub use error::{CancellationReason, DynamoError, Invalid};
use items::{OpenTable, SharedTable};
use records::{TABLES, tables_of};
use request::TableName;
use sweeper::Sweeper;

/// The largest request, in bytes.
const MAX_BODY: usize = 16 << 20;
/// Tables that are kept ready; when full, the cache starts anew.
const CACHED_TABLES: usize = 10_000;

/// After so many transactions with a client token those that ran out are removed.
const TOKENS_PER_SWEEP: u64 = 64;

const SPEC: ServiceSpec = ServiceSpec { name: "dynamodb", event_source: "dynamodb", max_body: MAX_BODY };

/// The service.
pub struct DynamoDb {
    /// Tables as their records say, by the records' bytes: a record that changed is read anew.
    cache: RwLock<HashMap<Vec<u8>, (Bytes, SharedTable)>>,
    sweeper: Sweeper,
    /// Host and port where clients reach it.
    address: String,
    /// Transactions with a client token since the start.
    tokens: AtomicU64,
}

/// Makes the service.
pub fn host(parts: &Parts) -> (Arc<DynamoDb>, Arc<dyn Hosted>) {
    let public = parts.installation.public_url();
    let service = Arc::new(DynamoDb {
        cache: RwLock::default(),
        sweeper: Sweeper::start(parts.store.clone(), parts.clock.clone()),
        address: public.split_once("://").map_or(public, |(_, address)| address).to_owned(),
        tokens: AtomicU64::default(),
    });
    (service.clone(), Arc::new(Host::new(SPEC, service, operations::OPERATIONS)))
}

impl DynamoDb {
    /// The table of this name in the scope, as this transaction sees it.
    pub(crate) async fn find_table(
        &self,
        tx: &Tx,
        scope: &Scope,
        name: &TableName,
    ) -> Result<Option<SharedTable>, StoreError> {
        if !name.is_in(scope) {
            return Ok(None);
        }
        let parts = tables_of(scope).str(name.name());
        let key = TABLES.key(&parts);
        let Some(record) = tx.get(&key).await? else { return Ok(None) };
        if let Some(open) = self.cached(key.as_bytes(), &record) {
            return Ok(Some(open));
        }
        let Some(table) = TABLES.get(tx, &parts).await? else { return Ok(None) };
        let open = Arc::new(OpenTable::new(table));
        let mut cache = self.cache.write().unwrap_or_else(PoisonError::into_inner);
        if cache.len() >= CACHED_TABLES {
            cache.clear();
        }
        cache.insert(key.as_bytes().to_vec(), (record, open.clone()));
        Ok(Some(open))
    }

    fn cached(&self, key: &[u8], record: &Bytes) -> Option<SharedTable> {
        let cache = self.cache.read().unwrap_or_else(PoisonError::into_inner);
        let (bytes, open) = cache.get(key)?;
        (bytes == record).then(|| open.clone())
    }

    pub(crate) fn sweeper(&self) -> &Sweeper {
        &self.sweeper
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Tells that a client token was noted.
    pub(crate) fn note_token(&self) {
        if self.tokens.fetch_add(1, Ordering::Relaxed) % TOKENS_PER_SWEEP == TOKENS_PER_SWEEP - 1 {
            self.sweeper.wake();
        }
    }

    /// The table that an item operation works on: the one its permissions were decided on.
    pub(crate) async fn table(
        cx: &Cx<Self>,
        tx: &Tx,
        name: &TableName,
        decided: &access::Decided,
    ) -> Result<SharedTable, DynamoError> {
        let open = cx.service.find_table(tx, cx.scope(), name).await?.ok_or(DynamoError::NoTable)?;
        decided.check(name, &open)?;
        Ok(open)
    }
}
