//! `homeport move`: from one place to another, on either engine.

use std::time::Duration;

use homeport_core::Randomness;
use homeport_store::{Row, Store};
use tokio::time::{Instant, sleep};

use super::blobs::{self, BlobTally};
use super::progress::Unit;
use super::rows::{Sum, goes_along, is_installation, sum_of};
use super::unfinished::{Filling, Found, look};
use super::{MovingError, Opened, Progress};
use crate::installation::InstallationRecord;

/// How long the sessions of a process that was killed may be seen.
const GHOSTS: Duration = Duration::from_secs(5);

/// What was moved.
pub(crate) struct Moved {
    pub(crate) rows: u64,
    /// Of all rows but the installation's own, in order.
    pub(crate) sha256: String,
    pub(crate) blobs: BlobTally,
}

/// Moves everything, or what is still missing; the source stays as it is.
pub(crate) async fn move_all(
    from: &Opened,
    to: &Opened,
    randomness: &dyn Randomness,
    progress: &mut Progress,
) -> Result<Moved, MovingError> {
    nobody_else(from).await?;
    let installation = installation_of(from).await?;
    let last = from.store.export().await?.last();
    let found = look(&to.store, &to.place, &installation).await?;
    if matches!(found, Found::Empty) && blobs::tally(&to.blobs).await?.blobs > 0 {
        return Err(MovingError::NotEmpty { place: to.blob_place.clone(), what: "blobs without rows" });
    }
    to.blobs.claim(&installation).await?;
    let filling = Filling::begin(&to.store, found, installation, last, randomness).await?;
    let copied = blobs::copy(from, to, progress).await?;
    let sent = copy_rows(&from.store, filling, last, progress).await?;
    let changed = || MovingError::SourceChanged { place: from.place.clone() };
    let installation = sent.installation.ok_or_else(changed)?;
    compare(to, &sent.sum, progress).await?;
    if from.store.export().await?.last() != last {
        return Err(changed());
    }
    sent.filling.finish(&installation).await?;
    Ok(Moved { rows: sent.sum.rows + 1, sha256: sent.sum.sha256(), blobs: copied })
}

/// Refuses a source that nodes use. One that commits nonetheless is found at the end by the source's clock.
async fn nobody_else(from: &Opened) -> Result<(), MovingError> {
    let began = Instant::now();
    loop {
        match from.store.other_nodes().await? {
            0 => return Ok(()),
            nodes if began.elapsed() > GHOSTS => {
                return Err(MovingError::InUse { place: from.place.clone(), nodes });
            }
            _ => sleep(Duration::from_millis(200)).await,
        }
    }
}

/// What tells an installation from all others.
pub(super) async fn installation_of(from: &Opened) -> Result<String, MovingError> {
    match InstallationRecord::read(&from.store).await? {
        Some(record) => Ok(record.key_ring.installation().to_owned()),
        None => Err(MovingError::NoInstallation { place: from.place.clone(), hint: "" }),
    }
}

/// What was sent, and what is still to be done with it.
struct Sent<'s> {
    filling: Filling<'s>,
    sum: Sum,
    installation: Option<Row>,
}

/// Reads all rows, for the sum is of all, and puts those that aren't there yet.
async fn copy_rows<'s>(
    from: &Store,
    mut filling: Filling<'s>,
    last: u64,
    progress: &mut Progress,
) -> Result<Sent<'s>, MovingError> {
    let mut export = from.export().await?;
    progress.begin("Copying rows", Unit::Rows, export.count().await?);
    let (mut sum, mut installation) = (Sum::new(), None);
    let behind = filling.behind();
    while export.last() == last
        && let Some(mut rows) = export.next_rows().await?
    {
        progress.add(rows.len() as u64);
        installation = installation.or_else(|| rows.iter().find(|row| is_installation(row)).cloned());
        rows.retain(goes_along);
        rows.iter().for_each(|row| sum.take(row));
        rows.retain(|row| row.key.as_ref() > behind.as_slice());
        filling.put(&rows).await?;
    }
    progress.end();
    Ok(Sent { filling, sum, installation })
}

/// Compares what lies in a place with what was sent there.
pub(super) async fn compare(to: &Opened, sent: &Sum, progress: &mut Progress) -> Result<(), MovingError> {
    let arrived = sum_of(&to.store, progress, sent.rows).await?;
    if arrived.rows != sent.rows || arrived.sha256() != sent.sha256() {
        let what = format!("{} rows of {}, or another checksum", arrived.rows, sent.rows);
        return Err(MovingError::NotTheSame { place: to.place.clone(), what });
    }
    Ok(())
}
