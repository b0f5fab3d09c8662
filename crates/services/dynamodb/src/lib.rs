//! DynamoDB: tables of items under partition and sort keys, with expressions on them.
//!
//! [`value`] and [`number`] are what items are made of, [`expression`] what is asked of them, [`table`] and
//! [`records`] how they lie in the store; the operations are in `operations/`, one a file, listed in
//! `operations.rs`. [`host`] makes the service.

mod access;
mod backup_description;
mod capacity;
mod description;
mod error;
mod expiry;
pub mod expression;
mod history;
mod items;
mod legacy;
mod metering;
pub mod number;
mod operations;
pub mod partiql;
pub mod records;
mod request;
mod resource_policy;
mod streams;
pub mod table;
mod transfer;
mod transfer_description;
pub mod value;
mod worker;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use homeport_core::{Scope, SharedClock};
use homeport_service::{Cx, Host, Hosted, Needs, Parts, ServiceSpec, SharedRates};
use homeport_store::{Store, StoreError, Tx};

pub use error::{CancellationReason, DynamoError, Invalid};
use items::{OpenTable, SharedTable};
use metering::Meter;
use records::{TABLES, tables_of};
use request::TableName;
use resource_policy::KnownPolicies;

/// The largest request, in bytes.
const MAX_BODY: usize = 16 << 20;
/// Tables that are kept ready; when full, the cache starts anew.
const CACHED_TABLES: usize = 10_000;

const SPEC: ServiceSpec = ServiceSpec { name: "dynamodb", event_source: "dynamodb", max_body: MAX_BODY };
const STREAMS_SPEC: ServiceSpec =
    ServiceSpec { name: "dynamodbstreams", event_source: "dynamodb", max_body: MAX_BODY };

/// The service.
pub struct DynamoDb {
    /// Tables as their records say, by the records' bytes: a record that changed is read anew.
    cache: RwLock<HashMap<Vec<u8>, (Bytes, SharedTable)>>,
    policies: KnownPolicies,
    /// How much is left of what tables are provisioned for.
    capacity: SharedRates,
    needs: Arc<Needs>,
    store: Store,
    clock: SharedClock,
    /// Host and port where clients reach it.
    address: String,
}

/// Makes the service. Somebody has to see to it that [`DynamoDb::work`] is awaited on one node.
pub fn host(parts: &Parts) -> (Arc<DynamoDb>, Arc<dyn Hosted>) {
    let public = parts.installation.public_url();
    let service = Arc::new(DynamoDb {
        cache: RwLock::default(),
        policies: KnownPolicies::follow(&parts.store),
        capacity: SharedRates::start(parts, "dynamodb"),
        needs: parts.needs.clone(),
        store: parts.store.clone(),
        clock: parts.clock.clone(),
        address: public.split_once("://").map_or(public, |(_, address)| address).to_owned(),
    });
    (service.clone(), Arc::new(Host::new(SPEC, service, operations::OPERATIONS)))
}

/// DynamoDB Streams, which has an API of its own.
pub fn streams_host(service: Arc<DynamoDb>) -> Arc<dyn Hosted> {
    Arc::new(Host::new(STREAMS_SPEC, service, streams::OPERATIONS))
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

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// What this call will have consumed.
    pub(crate) fn meter(cx: &Cx<Self>) -> Meter<'_> {
        Meter::new(cx)
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
        if !open.table.is_ready() {
            return Err(DynamoError::NoTable);
        }
        Ok(open)
    }
}
