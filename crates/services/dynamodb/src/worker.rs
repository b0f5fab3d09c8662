//! What is done behind calls' answers, on one node at a time: indexes are filled, what has expired is removed, and
//! what deleted tables, streams and tokens left. Each step is one transaction that knows how far the work is, so a
//! stopped program goes on where it was, and two nodes at once do no harm.

use std::sync::Arc;
use std::time::Duration;

use homeport_store::KeyParts;
use tokio::time::{Instant, sleep};

use crate::DynamoDb;
use crate::error::DynamoError;
use crate::records::{JOBS, Job, Work};

mod build;
mod copy;
mod expire;
mod export;
mod export_manifests;
mod export_walk;
mod forget;
mod import;
mod import_objects;
mod sweep;
mod transfer;
mod trim;

pub(crate) use copy::end_unneeded;
pub(crate) use trim::KEPT_SECONDS;

/// Records that one look finds.
const PAGE: usize = 100;
/// Between looks for what has expired, and for jobs that nobody told of.
const EVERY: Duration = Duration::from_secs(10);
/// Between looks for what is merely out of date.
const TIDY_EVERY: Duration = Duration::from_secs(60);
/// Between walks through all histories.
const FORGET_EVERY: Duration = Duration::from_secs(6 * 60 * 60);

impl DynamoDb {
    /// Works until it is dropped. Exports and imports, which may take hours, keep nothing else waiting.
    pub async fn work(self: Arc<Self>) {
        tokio::join!(self.work_on_jobs(), self.work_on_transfers());
    }

    async fn work_on_jobs(&self) {
        let mut jobs = self.store.watch(&JOBS.root());
        let mut tidied: Option<Instant> = None;
        let mut forgot = Instant::now();
        loop {
            note("jobs", self.do_jobs().await);
            note("expired items", self.remove_expired().await);
            if tidied.is_none_or(|at| at.elapsed() >= TIDY_EVERY) {
                note("what is out of date", self.tidy().await);
                tidied = Some(Instant::now());
            }
            if forgot.elapsed() >= FORGET_EVERY {
                note("versions of items", self.forget().await);
                forgot = Instant::now();
            }
            tokio::select! {
                _ = jobs.changed() => {}
                () = sleep(EVERY) => {}
            }
        }
    }

    /// Does every job there is, and removes what deleted tables left.
    pub async fn do_jobs(&self) -> Result<(), DynamoError> {
        sweep::tables(&self.store).await?;
        let mut after = None;
        loop {
            let cursor = &after;
            let found = self
                .store
                .read(|tx| async move { JOBS.page(&tx, KeyParts::new(), cursor.as_deref(), PAGE).await })
                .await?;
            for job in found.records {
                // A job that can't be done must not keep others from being done.
                note(&job.id, self.do_job(&job).await);
            }
            after = found.cursor;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    async fn do_job(&self, job: &Job) -> Result<(), DynamoError> {
        match &job.work {
            Work::Build { .. } => while build::step(&self.store, &job.id).await? {},
            Work::Copy(_) => while copy::step(&self.store, &job.id, self.clock.now()).await? {},
            Work::Sweep { table_id, number } => {
                sweep::numbered(&self.store, &job.id, table_id, *number).await?;
            }
        }
        Ok(())
    }

    /// Removes the items whose time has come.
    pub async fn remove_expired(&self) -> Result<(), DynamoError> {
        expire::all(&self.store, self.clock.now()).await
    }

    /// Removes client tokens that ran out, stream records of more than a day ago, streams that ended then, and what is
    /// told of exports and imports of long ago.
    pub async fn tidy(&self) -> Result<(), DynamoError> {
        let now = self.clock.now();
        sweep::tokens(&self.store, now.millis()).await?;
        trim::streams(&self.store, now).await?;
        copy::expire(&self.store, now).await?;
        transfer::expire(&self.store, now).await
    }

    /// Removes versions of items that point-in-time recovery doesn't reach any more.
    pub async fn forget(&self) -> Result<(), DynamoError> {
        forget::all(&self.store, self.clock.now()).await
    }
}

fn note(what: &str, done: Result<(), DynamoError>) {
    if let Err(error) = done {
        tracing::warn!(%error, what, "DynamoDB's work behind the calls could not be done yet");
    }
}
