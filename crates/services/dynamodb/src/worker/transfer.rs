//! Exports and imports behind the calls' answers: several at a time, each going on where it was.

use std::collections::BTreeMap;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use homeport_core::{Fault, Scope, Timestamp};
use homeport_service::needs::{InBucket, Objects, ObjectsRefused, met};
use homeport_store::{Collection, KeyParts, Record, Store, StoreError};
use tokio::time::{Instant, sleep};

use super::{EVERY, PAGE, export, import, note};
use crate::DynamoDb;
use crate::error::DynamoError;
use crate::records::{EXPORTS, Failure, IMPORTS, KEPT_DAYS, TRANSFERS, Transfer, TransferRef, TransferWork};

/// Exports and imports of this node that are worked on at a time.
const AT_ONCE: usize = 4;
/// How long one that can't be gone on with is tried again, in seconds: a day.
const PATIENCE: i64 = 24 * 60 * 60;
/// The service that acts for whoever asked.
const VIA: &str = "dynamodb.amazonaws.com";

/// Why an export or an import doesn't go on.
pub(super) enum Stop {
    /// It never will.
    Failed(Failure),
    /// Its table is gone.
    Gone,
    /// Another node is at it.
    Elsewhere,
    /// It may, when it is tried again.
    Later(DynamoError),
}

impl From<ObjectsRefused> for Stop {
    fn from(refused: ObjectsRefused) -> Self {
        let message = refused.to_string();
        match refused {
            ObjectsRefused::Refused { code, .. } => {
                Self::Failed(Failure { code: format!("S3{code}"), message })
            }
            ObjectsRefused::Unavailable(cause) => Self::Later(DynamoError::Fault(Fault::internal(cause))),
        }
    }
}

impl From<DynamoError> for Stop {
    fn from(error: DynamoError) -> Self {
        Self::Later(error)
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Later(error.into())
    }
}

impl Stop {
    /// The same, or a failure where it was tried for long enough since it went on last.
    pub(super) fn after(self, went_on: Timestamp, now: Timestamp) -> Self {
        match self {
            Self::Later(error) if now.seconds_since(went_on) >= PATIENCE => {
                tracing::warn!(%error, "an export or import is given up");
                let message = "An internal error occurred while processing the request".to_owned();
                Self::Failed(Failure { code: "InternalServerError".to_owned(), message })
            }
            other => other,
        }
    }
}

/// What lies in the bucket of an export or an import.
pub(super) struct Place<'a> {
    pub(super) transfer: &'a Transfer,
    pub(super) bucket: &'a str,
    pub(super) owner: Option<&'a str>,
    pub(super) scope: Scope,
}

impl Place<'_> {
    pub(super) fn in_bucket(&self) -> InBucket<'_> {
        let Self { transfer, bucket, owner, scope } = self;
        InBucket { bucket, owner: *owner, by: &transfer.by, via: VIA, scope }
    }
}

pub(super) fn scope_of(at: &TransferRef) -> Scope {
    Scope { account: at.account, region: at.region.clone() }
}

impl DynamoDb {
    pub(super) fn objects(&self) -> Result<&dyn Objects, DynamoError> {
        let met = met(&self.needs.objects, "Objects");
        met.map(|objects| &**objects).map_err(|unmet| DynamoError::Fault(Fault::internal(unmet)))
    }

    pub(super) async fn work_on_transfers(&self) {
        let mut transfers = self.store.watch(&TRANSFERS.root());
        loop {
            note("exports and imports", self.do_transfers().await);
            tokio::select! {
                _ = transfers.changed() => {}
                () = sleep(EVERY) => {}
            }
        }
    }

    /// Works on every export and import there is, also on those that come meanwhile, until none can be gone on with.
    pub async fn do_transfers(&self) -> Result<(), DynamoError> {
        let mut coming = self.store.watch(&TRANSFERS.root());
        let mut running = FuturesUnordered::new();
        // When they may be tried again; none while they are at work.
        let mut known: BTreeMap<String, Option<Instant>> = BTreeMap::new();
        loop {
            let all = self.transfers().await?;
            known.retain(|id, _| all.contains(id));
            for id in all {
                let waits = match known.get(&id) {
                    None => false,
                    Some(None) => true,
                    Some(Some(again)) => *again > Instant::now(),
                };
                if !waits && running.len() < AT_ONCE {
                    known.insert(id.clone(), None);
                    running.push(async move {
                        let done = self.do_transfer(&id).await;
                        (id, done)
                    });
                }
            }
            if running.is_empty() {
                return Ok(());
            }
            tokio::select! {
                Some((id, done)) = running.next() => {
                    note(&id, done);
                    // What is still there then failed, or another node is at it.
                    known.insert(id, Some(Instant::now() + EVERY));
                }
                _ = coming.changed() => {}
                () = sleep(EVERY) => {}
            }
        }
    }

    async fn transfers(&self) -> Result<Vec<String>, DynamoError> {
        let (mut ids, mut after) = (Vec::new(), None);
        loop {
            let cursor = &after;
            let found = self.store.read(|tx| async move {
                TRANSFERS.page(&tx, KeyParts::new(), cursor.as_deref(), PAGE).await
            });
            let found = found.await?;
            ids.extend(found.records.into_iter().map(|transfer| transfer.id));
            after = found.cursor;
            if after.is_none() {
                return Ok(ids);
            }
        }
    }

    async fn do_transfer(&self, id: &str) -> Result<(), DynamoError> {
        let found = self.store.read(|tx| async move { TRANSFERS.get(&tx, id).await }).await?;
        match found {
            Some(Transfer { work: TransferWork::Export(_), .. }) => export::run(self, id).await,
            Some(Transfer { work: TransferWork::Import(_), .. }) => import::run(self, id).await,
            None => Ok(()),
        }
    }
}

/// Removes what is told of exports and imports that ended long ago.
pub(super) async fn expire(store: &Store, now: Timestamp) -> Result<(), DynamoError> {
    let horizon = now.plus_seconds(-KEPT_DAYS * 24 * 60 * 60);
    let is_old = |ended: Option<Timestamp>| ended.is_some_and(|ended| ended <= horizon);
    remove(store, &EXPORTS, |export| is_old(export.ended)).await?;
    remove(store, &IMPORTS, |import| is_old(import.ended)).await
}

/// Removes those of a collection that are old, some at a time.
async fn remove<R: Record>(
    store: &Store,
    of: &Collection<R>,
    is_old: impl Fn(&R) -> bool + Sync,
) -> Result<(), DynamoError> {
    let (mut after, is_old) = (None, &is_old);
    loop {
        let cursor = &after;
        after = store
            .write(|tx| async move {
                let found = of.page(&tx, KeyParts::new(), cursor.as_deref(), PAGE).await?;
                for old in found.records.iter().filter(|record| is_old(record)) {
                    of.delete(&tx, old.key()).await?;
                }
                Ok::<_, StoreError>(found.cursor)
            })
            .await?;
        if after.is_none() {
            return Ok(());
        }
    }
}
