//! Packages that nothing names any more.

use std::sync::Weak;
use std::time::Duration;

use homeport_blobs::BlobId;
use homeport_core::Timestamp;

use crate::{Lambda, LambdaError, records};

/// How soon after the start it is looked for them.
const FIRST: Duration = Duration::from_secs(60);
/// How often after that.
const EVERY: Duration = Duration::from_secs(3_600);

impl Lambda {
    /// Removes the packages that no function and no version names, and says how many: those of deleted versions and
    /// of updates before them, and what a crash left between a package and its record. Only those older than a day,
    /// so none whose record is still to come.
    pub async fn sweep(&self, now: Timestamp) -> Result<usize, LambdaError> {
        let named = async |blobs: Vec<BlobId>| {
            let blobs = &blobs;
            Ok(self.parts.store.read(|tx| async move { records::named(&tx, blobs).await }).await?)
        };
        self.code.blobs().sweep(now, named).await
    }
}

/// Sweeps for as long as the service lives.
pub(crate) async fn now_and_then(lambda: Weak<Lambda>) {
    let mut pause = FIRST;
    loop {
        tokio::time::sleep(pause).await;
        pause = EVERY;
        let Some(lambda) = lambda.upgrade() else { return };
        match lambda.sweep(lambda.parts.clock.now()).await {
            Ok(0) => {}
            Ok(packages) => tracing::info!(packages, "removed packages that no function needs any more"),
            Err(error) => {
                tracing::error!(%error, "packages that no function needs any more can't be removed");
            }
        }
    }
}
