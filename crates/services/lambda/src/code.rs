//! Packages as blobs, and unpacked for as long as something runs from them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use homeport_blobs::{BlobError, BlobId, Blobs};
use homeport_core::Randomness;
use tokio::sync::Mutex as AsyncMutex;

use crate::records::Code;
use crate::{LambdaError, package};

/// Packages in the blob store and in a folder.
pub(crate) struct CodeStore {
    blobs: Blobs,
    folder: PathBuf,
    unpacked: Mutex<HashMap<String, Arc<Place>>>,
    count: AtomicU64,
}

/// Where one package is, or will be, unpacked: whoever comes first does it.
#[derive(Default)]
struct Place(AsyncMutex<Weak<CodeFolder>>);

/// An unpacked package; removed when nothing runs from it any more.
#[derive(Debug)]
pub(crate) struct CodeFolder(PathBuf);

impl CodeFolder {
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for CodeFolder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::debug!(folder = %self.0.display(), %error, "a package stays unpacked until the next start");
        }
    }
}

impl CodeStore {
    /// Unpacked packages of an earlier run are removed; blobs hold them all.
    pub(crate) fn new(blobs: Blobs, folder: PathBuf) -> std::io::Result<Self> {
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        std::fs::create_dir_all(&folder)?;
        Ok(Self { blobs, folder, unpacked: Mutex::default(), count: AtomicU64::new(0) })
    }

    /// Checks a package, as Base64 of a zip, and keeps it durably.
    pub(crate) async fn take(
        &self,
        zip_file: &str,
        randomness: &dyn Randomness,
        operation: &'static str,
    ) -> Result<Code, LambdaError> {
        let zip = STANDARD.decode(zip_file).map_err(|_| {
            LambdaError::invalid(
                "Could not unzip uploaded file. Please check your file, then try to upload again.",
            )
        })?;
        if zip.len() > package::LARGEST_ZIP {
            return Err(LambdaError::PackageTooLarge(package::LARGEST_ZIP, operation));
        }
        let zip = Bytes::from(zip);
        let checked = zip.clone();
        tokio::task::spawn_blocking(move || package::check(&checked))
            .await
            .map_err(std::io::Error::other)??;
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &zip);
        let size = zip.len() as u64;
        let blob = self.blobs.put(randomness, zip).await?;
        Ok(Code { blob: blob.as_str().to_owned(), sha256: STANDARD.encode(digest), size })
    }

    /// The blobs themselves, for the sweep.
    pub(crate) fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    /// Removes a package whose record was not written. Where that is not known, for the store went away in the midst of it,
    /// the sweep finds out: a function may run from it.
    pub(crate) async fn forget_unwritten(&self, code: &Code, why: &LambdaError) {
        if !matches!(why, LambdaError::Store(error) if error.leaves_open()) {
            self.forget(code).await;
        }
    }

    /// Removes a package that no record names any more; one that stays after a failure is swept later.
    pub(crate) async fn forget(&self, code: &Code) {
        let Some(id) = BlobId::parse(&code.blob) else { return };
        if let Err(error) = self.blobs.delete(&id).await {
            tracing::warn!(%error, "a package that is not needed any more could not be removed");
        }
    }

    /// The package's zip.
    async fn zip(&self, code: &Code) -> Result<Bytes, LambdaError> {
        let id = BlobId::parse(&code.blob).ok_or(BlobError::NotFound)?;
        Ok(self.blobs.read_whole(&id, package::LARGEST_ZIP as u64).await?)
    }

    /// The package unpacked.
    pub(crate) async fn unpacked(&self, code: &Code) -> Result<Arc<CodeFolder>, LambdaError> {
        let place = {
            let mut unpacked = self.unpacked.lock().unwrap_or_else(PoisonError::into_inner);
            unpacked.retain(|_, place| {
                Arc::strong_count(place) > 1 || place.0.try_lock().is_ok_and(|at| at.strong_count() > 0)
            });
            unpacked.entry(code.blob.clone()).or_default().clone()
        };
        let mut at = place.0.lock().await;
        if let Some(folder) = at.upgrade() {
            return Ok(folder);
        }
        let zip = self.zip(code).await?;
        // A name of its own: the folder of before may just be in removal.
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let folder = self.folder.join(format!("{}-{number}", code.blob));
        let into = folder.clone();
        let unpacking = tokio::task::spawn_blocking(move || package::unpack(&zip, &into));
        unpacking.await.map_err(std::io::Error::other)??;
        let folder = Arc::new(CodeFolder(folder));
        *at = Arc::downgrade(&folder);
        Ok(folder)
    }
}
