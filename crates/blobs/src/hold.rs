use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Keeps every blob while a backup copies them: while it is set, [`delete`](crate::Blobs::delete) and
/// [`sweep`](crate::Blobs::sweep) remove nothing. What would have been deleted is left for a later sweep.
///
/// A backup whose snapshot of the records is taken after every node has set it finds every blob that the snapshot
/// names: whatever is deleted without the hold lost its record before. One switch for all owners of a store.
#[derive(Clone, Debug, Default)]
pub struct Hold(Arc<AtomicBool>);

impl Hold {
    /// Holds, or lets go.
    pub fn set(&self, held: bool) {
        self.0.store(held, Ordering::SeqCst);
    }

    /// Whether blobs are held.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}
