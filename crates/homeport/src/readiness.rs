//! Whether this node should be sent requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use homeport_store::StoreError;

use crate::house::House;
use crate::installation::InstallationRecord;

/// How long the store may take to answer before the server is not ready.
const STORE_TIME: Duration = Duration::from_secs(1);

/// What a load balancer asks.
pub(crate) struct Readiness {
    house: Arc<House>,
    ending: AtomicBool,
}

/// Why a node is not ready. It is told to everybody who asks, and so names nothing of the inside.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotReady {
    #[error("this node is ending")]
    Ending,
    #[error("the store doesn't answer")]
    NoStore,
    #[error("the store was upgraded by another version: replace this program")]
    Upgraded,
    #[error("this node has not heard for 5 s what others changed")]
    Behind,
    #[error("the store holds no installation any more")]
    NoInstallation,
    #[error(
        "the master key was changed, and this node was started with another one: bring the new one and start again"
    )]
    OtherKey,
}

impl Readiness {
    pub(crate) fn new(house: Arc<House>) -> Arc<Self> {
        Arc::new(Self { house, ending: AtomicBool::new(false) })
    }

    /// From now on the node is not ready.
    pub(crate) fn end(&self) {
        self.ending.store(true, Ordering::SeqCst);
    }

    /// Nothing, if requests are welcome.
    pub(crate) async fn check(&self) -> Result<(), NotReady> {
        if self.ending.load(Ordering::SeqCst) {
            return Err(NotReady::Ending);
        }
        let store = &self.house.parts.store;
        let read = tokio::time::timeout(STORE_TIME, InstallationRecord::read(store)).await;
        let kept = match read {
            Ok(Ok(kept)) => kept.ok_or(NotReady::NoInstallation)?,
            Ok(Err(StoreError::OtherFormat { .. })) => return Err(NotReady::Upgraded),
            Ok(Err(_)) | Err(_) => return Err(NotReady::NoStore),
        };
        if !store.is_current() {
            return Err(NotReady::Behind);
        }
        if !self.house.has_key_of(&kept.key_ring) {
            return Err(NotReady::OtherKey);
        }
        Ok(())
    }
}
