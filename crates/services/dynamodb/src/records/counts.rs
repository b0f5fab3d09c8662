//! How much tables and indexes hold, kept in step by every write.

use homeport_store::{Key, StoreError, Tx};

/// Items, or entries, and their bytes as AWS counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// How many.
    pub items: i64,
    /// Of how many bytes.
    pub bytes: i64,
}

impl Held {
    /// One item of so many bytes.
    pub fn one(bytes: usize) -> Self {
        Self { items: 1, bytes: bytes as i64 }
    }
}

/// Where it stands how much a table or an index holds.
#[derive(Debug)]
pub struct Counts {
    pub(super) root: Key,
}

impl Counts {
    /// Counts what is there now in place of what was. Writes that count alike are never in conflict over it.
    pub fn change(&self, tx: &Tx, was: Held, is: Held) -> Result<(), StoreError> {
        if is.items != was.items {
            tx.add(&self.items(), is.items - was.items)?;
        }
        if is.bytes != was.bytes {
            tx.add(&self.bytes(), is.bytes - was.bytes)?;
        }
        Ok(())
    }

    /// How much it is now.
    pub(crate) async fn read(&self, tx: &Tx) -> Result<Held, StoreError> {
        let items = tx.get_i64(&self.items()).await?.unwrap_or_default();
        let bytes = tx.get_i64(&self.bytes()).await?.unwrap_or_default();
        Ok(Held { items, bytes })
    }

    fn items(&self) -> Key {
        self.root.clone().str("items")
    }

    fn bytes(&self) -> Key {
        self.root.clone().str("bytes")
    }
}
