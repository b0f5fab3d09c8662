//! What is done behind calls' answers, on one node at a time: indexes are filled, what has expired is removed, and
//! what deleted tables, streams and tokens left. Each step is one transaction that knows how far the work is, so a
//! stopped program goes on where it was, and two nodes at once do no harm.

use std::sync::Arc;
use std::time::Duration;

use homeport_store::KeyParts;
use tokio::time::sleep;

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

/// Steps of a job, or of a table's clearing, until it is another's turn.
const STEPS: usize = 20;
/// Records that one look finds.
const PAGE: usize = 100;
/// After how long a transaction ends that looks at one place after another: where the database is far, it would become
/// too long.
const STRETCH: Duration = Duration::from_secs(1);
/// Between looks for what has expired, and for jobs that nobody told of.
const EVERY: Duration = Duration::from_secs(10);
/// Between looks for what is merely out of date.
const TIDY_EVERY: Duration = Duration::from_secs(60);
/// Between walks through all histories.
const FORGET_EVERY: Duration = Duration::from_secs(6 * 60 * 60);

impl DynamoDb {
    /// Works until it is dropped. Jobs, exports and imports may take hours, and keep nothing else waiting.
    pub async fn work(self: Arc<Self>) {
        tokio::join!(self.work_on_jobs(), self.work_by_time(), self.work_on_transfers());
    }

    async fn work_on_jobs(&self) {
        let mut jobs = self.store.watch(&JOBS.root());
        loop {
            note("jobs", self.do_jobs().await);
            tokio::select! {
                _ = jobs.changed() => {}
                () = sleep(EVERY) => {}
            }
        }
    }

    /// What has expired goes. Each kind by itself: there may be more of one than ever goes.
    async fn work_by_time(&self) {
        tokio::join!(
            async {
                loop {
                    note("expired items", self.remove_expired().await);
                    sleep(EVERY).await;
                }
            },
            async {
                loop {
                    note("what is out of date", self.tidy().await);
                    sleep(TIDY_EVERY).await;
                }
            },
            async {
                loop {
                    note("versions of items", self.forget().await);
                    sleep(FORGET_EVERY).await;
                }
            },
        );
    }

    /// Does every job there is, and removes what deleted tables left.
    pub async fn do_jobs(&self) -> Result<(), DynamoError> {
        let (swept, done) = tokio::join!(sweep::tables(&self.store), async {
            while self.go_on_with_jobs().await? {}
            Ok(())
        });
        done.and(swept.map_err(DynamoError::from))
    }

    /// Does some of every job, so that none waits for another's end; true while there is more.
    async fn go_on_with_jobs(&self) -> Result<bool, DynamoError> {
        let (mut after, mut more) = (None, false);
        loop {
            let cursor = &after;
            let found = self
                .store
                .read(|tx| async move { JOBS.page(&tx, KeyParts::new(), cursor.as_deref(), PAGE).await })
                .await?;
            for job in found.records {
                // A job that can't be done must not keep others from being done.
                let done = self.go_on(&job).await.map(|goes_on| more |= goes_on);
                note(&job.id, done);
            }
            after = found.cursor;
            if after.is_none() {
                return Ok(more);
            }
        }
    }

    async fn go_on(&self, job: &Job) -> Result<bool, DynamoError> {
        for _ in 0..STEPS {
            let goes_on = match &job.work {
                Work::Build { .. } => build::step(&self.store, &job.id).await?,
                Work::Copy(_) => copy::step(&self.store, &job.id, self.clock.now()).await?,
                Work::Sweep { table_id, number } => {
                    sweep::numbered(&self.store, &job.id, table_id, *number).await?;
                    false
                }
            };
            if !goes_on {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Removes the items whose time has come.
    pub async fn remove_expired(&self) -> Result<(), DynamoError> {
        expire::all(&self.store, &self.clock).await
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
