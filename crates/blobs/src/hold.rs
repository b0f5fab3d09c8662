use std::fmt;
use std::sync::{Arc, OnceLock};

use futures_util::future::BoxFuture;

type Question = Box<dyn Fn() -> BoxFuture<'static, bool> + Send + Sync>;

/// Who says whether blobs are kept because a backup copies them. [`delete`](crate::Blobs::delete) asks behind the commit
/// that took the last record of a blob away, [`sweep`](crate::Blobs::sweep) behind its reading of the records, and
/// neither removes anything while the answer is yes: that is left for a later sweep.
///
/// So a backup that has the answer changed to yes before it takes its snapshot of the records finds every blob that the
/// snapshot names: who was told no had asked before, and so the record was gone before. One for all owners of a store;
/// without a question nothing is held.
#[derive(Clone, Default)]
pub struct Hold(Arc<OnceLock<Question>>);

impl Hold {
    /// Has this asked from now on. The first one stays.
    pub fn ask(&self, question: impl Fn() -> BoxFuture<'static, bool> + Send + Sync + 'static) {
        self.0.set(Box::new(question)).ok();
    }

    /// Whether blobs are held.
    pub async fn is_set(&self) -> bool {
        match self.0.get() {
            Some(question) => question().await,
            None => false,
        }
    }
}

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hold({})", if self.0.get().is_some() { "asked" } else { "never" })
    }
}
