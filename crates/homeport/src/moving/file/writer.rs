use std::fs::{File, OpenOptions, Permissions, TryLockError};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};
use futures_util::TryStreamExt;
use homeport_blobs::{BlobReader, Listed};
use homeport_store::Row;
use rustix::fs::{CWD, RenameFlags};
use rustix::io::Errno;
use tokio::io::{AsyncWriteExt, BufWriter};

use super::super::blobs::BlobTally;
use super::super::frames::{self, ID_BYTES, Kind, MAGIC, Manifest, Trailer};
use super::super::{Kept, MovingError};
use super::failed;

const BUFFER: usize = 1 << 20;

/// A backup that is being written. Dropped before [`Self::finish`], it never was.
pub(in super::super) struct Writer {
    file: BufWriter<tokio::fs::File>,
    path: PathBuf,
    partial: Partial,
    sum: Context,
    rows: u64,
    blobs: BlobTally,
}

/// The name of a backup until it is whole.
pub(crate) fn partial_of(path: &Path) -> Option<PathBuf> {
    let mut name = path.file_name()?.to_owned();
    name.push(".partial");
    Some(path.with_file_name(name))
}

/// The file under the name that it has until it is whole.
struct Partial(Option<PathBuf>);

impl Drop for Partial {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            // Left behind it is nobody's backup: the next one replaces it.
            _ = std::fs::remove_file(path);
        }
    }
}

impl Writer {
    /// Begins a file that only its owner reads. One that is there already is never written over.
    pub(in super::super) async fn create(path: &Path, manifest: &Manifest) -> Result<Self, MovingError> {
        let partial = partial_of(path).ok_or_else(|| MovingError::NoFile(path.to_owned()))?;
        if path.exists() {
            return Err(MovingError::FileThere(path.to_owned()));
        }
        let file = tokio::fs::File::from_std(begin(&partial)?);
        let mut writer = Self {
            file: BufWriter::with_capacity(BUFFER, file),
            path: path.to_owned(),
            partial: Partial(Some(partial)),
            sum: Context::new(&SHA256),
            rows: 0,
            blobs: BlobTally::default(),
        };
        writer.put(MAGIC).await?;
        writer.part(Kind::Manifest, &json(manifest)).await?;
        Ok(writer)
    }

    /// Appends rows, which follow those before.
    pub(in super::super) async fn rows(&mut self, rows: &[Row]) -> Result<(), MovingError> {
        if rows.is_empty() {
            return Ok(());
        }
        self.rows += rows.len() as u64;
        self.part(Kind::Rows, &frames::packed(rows)).await
    }

    /// Appends a blob.
    pub(in super::super) async fn blob(
        &mut self,
        blob: &Listed,
        mut bytes: BlobReader,
    ) -> Result<(), MovingError> {
        let owner = blob.owner.as_bytes();
        let length = u8::try_from(owner.len()).unwrap_or_default();
        let before = (1 + owner.len() + ID_BYTES) as u64;
        self.put(&frames::head(Kind::Blob, before + blob.size)).await?;
        self.put(&[&[length], owner, blob.id.as_str().as_bytes()].concat()).await?;
        let mut written = 0;
        while let Some(chunk) = bytes.try_next().await? {
            written += chunk.len() as u64;
            self.put(&chunk).await?;
        }
        if written != blob.size {
            return Err(MovingError::BlobChanged(blob.id.clone()));
        }
        self.blobs.add(written);
        Ok(())
    }

    /// Ends the file: it is whole, durable and under its name when this returns.
    pub(in super::super) async fn finish(
        mut self,
        installation: &Row,
        taken: &str,
    ) -> Result<Kept, MovingError> {
        self.rows += 1;
        self.part(Kind::Installation, &frames::packed(std::slice::from_ref(installation))).await?;
        let trailer = Trailer {
            rows: self.rows,
            blobs: self.blobs.blobs,
            blob_bytes: self.blobs.bytes,
            sha256: hex::encode(self.sum.clone().finish()),
        };
        self.part(Kind::Trailer, &json(&trailer)).await?;
        let failed = failed(&self.path);
        self.file.flush().await.map_err(&failed)?;
        self.file.get_ref().sync_all().await.map_err(&failed)?;
        if let Some(partial) = self.partial.0.take() {
            publish(&partial, &self.path)?;
        }
        let above = self.path.parent().filter(|above| !above.as_os_str().is_empty());
        std::fs::File::open(above.unwrap_or(Path::new(".")))
            .and_then(|above| above.sync_all())
            .map_err(&failed)?;
        Ok(Kept { rows: self.rows, blobs: self.blobs, taken: taken.to_owned() })
    }

    async fn part(&mut self, kind: Kind, content: &[u8]) -> Result<(), MovingError> {
        self.put(&frames::head(kind, content.len() as u64)).await?;
        self.put(content).await
    }

    async fn put(&mut self, bytes: &[u8]) -> Result<(), MovingError> {
        self.sum.update(bytes);
        self.file.write_all(bytes).await.map_err(failed(&self.path))
    }
}

/// The file of a backup that is being written, empty and held by this one. What a killed one left is begun anew.
fn begin(partial: &Path) -> Result<File, MovingError> {
    let failed = failed(partial);
    let opened = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(partial);
    let file = opened.map_err(&failed)?;
    let busy = || MovingError::FileBusy(partial.to_owned());
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => busy(),
        TryLockError::Error(error) => failed(error),
    })?;
    // Another backup may have come to its end, and taken the name away, between opening and holding.
    let (held, named) = (file.metadata().map_err(&failed)?, std::fs::symlink_metadata(partial));
    let is_named = named.is_ok_and(|named| (named.dev(), named.ino()) == (held.dev(), held.ino()));
    // Who made a file that lies there in wait may have it open, and would read the backup.
    let is_own = held.uid() == rustix::process::geteuid().as_raw() && held.nlink() == 1;
    if !is_named || !is_own {
        return Err(busy());
    }
    file.set_len(0).and_then(|()| file.set_permissions(Permissions::from_mode(0o600))).map_err(&failed)?;
    Ok(file)
}

/// Gives the file its name, unless something else has it by now.
fn publish(partial: &Path, path: &Path) -> Result<(), MovingError> {
    let there = || MovingError::FileThere(path.to_owned());
    match rustix::fs::renameat_with(CWD, partial, CWD, path, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(()),
        Err(Errno::EXIST) => Err(there()),
        // Not every file system can.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) if path.exists() => Err(there()),
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            std::fs::rename(partial, path).map_err(failed(path))
        }
        Err(error) => Err(failed(path)(error.into())),
    }
}

/// A manifest and a trailer have names for keys and nothing that JSON lacks.
fn json<T: serde::Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}
