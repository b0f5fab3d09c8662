//! `homeport backup`: all of an installation, as it is at one moment, in one file.

use std::path::Path;

use futures_util::TryStreamExt;
use homeport_core::{Randomness, SharedClock};
use serde::{Deserialize, Serialize};

use super::blobs::{self, BlobTally};
use super::copy::installation_of;
use super::file::Writer;
use super::frames::{FORMAT, Manifest};
use super::hold::Holding;
use super::progress::Unit;
use super::rows::{goes_along, is_installation};
use super::{MovingError, Opened, Progress};

/// Who else may delete blobs meanwhile.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beside {
    /// Nobody: the place is held.
    Nobody,
    /// Nodes, this process perhaps among them.
    Nodes,
}

/// What a backup holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// Rows, the installation's own among them.
    pub(crate) rows: u64,
    pub(crate) blobs: BlobTally,
    /// Its moment.
    pub(crate) taken: String,
}

/// Writes a backup to `path`. Who writes meanwhile goes on; what is committed before this is called is in it.
pub(crate) async fn back_up(
    from: &Opened,
    path: &Path,
    beside: Beside,
    clock: &SharedClock,
    randomness: &dyn Randomness,
    progress: &mut Progress,
) -> Result<Kept, MovingError> {
    // A place without an installation is not written to.
    installation_of(from).await?;
    let holding = match beside {
        Beside::Nobody => None,
        Beside::Nodes => Some(Holding::begin(&from.store, clock, randomness).await?),
    };
    let written = write(from, path, clock, holding.as_ref(), progress).await;
    if let Some(holding) = holding {
        holding.end().await;
    }
    written
}

async fn write(
    from: &Opened,
    path: &Path,
    clock: &SharedClock,
    holding: Option<&Holding>,
    progress: &mut Progress,
) -> Result<Kept, MovingError> {
    let mut export = from.store.export().await?;
    let manifest = Manifest {
        format: FORMAT,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        installation: installation_of(from).await?,
        last: export.last(),
        taken: clock.now().rfc3339_seconds(),
    };
    let mut file = Writer::create(path, &manifest).await?;
    progress.begin("Writing rows", Unit::Rows, export.count().await?);
    let mut installation = None;
    while let Some(mut rows) = export.next_rows().await? {
        progress.add(rows.len() as u64);
        installation = installation.or_else(|| rows.iter().find(|row| is_installation(row)).cloned());
        rows.retain(goes_along);
        file.rows(&rows).await?;
    }
    progress.end();
    drop(export);
    progress.begin("Writing blobs", Unit::Bytes, blobs::tally(&from.blobs).await?.bytes);
    let mut listed = from.blobs.list_all();
    while let Some(blob) = listed.try_next().await? {
        file.blob(&blob, from.blobs.read_raw(&blob.owner, &blob.id).await?).await?;
        progress.add(blob.size);
    }
    progress.end();
    if let Some(holding) = holding {
        holding.check().await?;
    }
    let gone = || MovingError::NoInstallation { place: from.place.clone(), hint: " any more" };
    file.finish(&installation.ok_or_else(gone)?, &manifest.taken).await
}
