//! `homeport restore`: an installation out of a backup's file.

use std::path::Path;

use homeport_core::Randomness;

use super::blobs::{BlobTally, There};
use super::copy::compare;
use super::file::{Piece, Reader};
use super::progress::Unit;
use super::unfinished::{Filling, Found, look};
use super::{Kept, MovingError, Place, Progress, Purpose, With};

/// Reads all of a file first, so that of a damaged one nothing is written; then fills the place, or what of it was left
/// unfinished.
pub(crate) async fn restore(
    path: &Path,
    to: &Place,
    with: &With<'_>,
    randomness: &dyn Randomness,
    progress: &mut Progress,
) -> Result<Kept, MovingError> {
    check(path, progress).await?;
    let mut file = Reader::open(path).await?;
    let (installation, last) = (file.manifest.installation.clone(), file.manifest.last);
    let to = &to.open(Purpose::Target, with).await?;
    let found = look(&to.store, &to.place, &installation).await?;
    let there = There::list(&to.blobs).await?;
    if matches!(found, Found::Empty) && !there.is_empty() {
        return Err(MovingError::NotEmpty { place: to.blob_place.clone(), what: "blobs without rows" });
    }
    to.blobs.claim(&installation).await?;
    let mut filling = Filling::begin(&to.store, found, installation, last, randomness).await?;
    let behind = filling.behind();
    let mut blobs = BlobTally::default();
    progress.begin("Restoring", Unit::Bytes, length(path));
    let mut told = 0;
    let installation = loop {
        match file.next().await? {
            Piece::Rows(mut rows) => {
                rows.retain(|row| row.key.as_ref() > behind.as_slice());
                filling.put(&rows).await?;
            }
            Piece::Blob { owner, id, size } => {
                if !there.has(&id, size) {
                    to.blobs.write_raw(&owner, &id, file.contents()).await?;
                }
                blobs.add(size);
            }
            Piece::End(installation) => break installation,
        }
        progress.add(file.read - told);
        told = file.read;
    };
    progress.end();
    compare(to, &file.sum, progress).await?;
    filling.finish(&installation).await?;
    Ok(Kept { rows: file.sum.rows + 1, blobs, taken: file.manifest.taken })
}

async fn check(path: &Path, progress: &mut Progress) -> Result<(), MovingError> {
    let mut file = Reader::open(path).await?;
    progress.begin("Checking", Unit::Bytes, length(path));
    let mut told = 0;
    while !matches!(file.next().await?, Piece::End(_)) {
        progress.add(file.read - told);
        told = file.read;
    }
    progress.end();
    Ok(())
}

fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map(|file| file.len()).unwrap_or_default()
}
