use bytes::Bytes;

use super::Record;
use crate::{Key, KeyParts, StoreError, Tx};

/// A declared index of a collection.
pub struct Index<R> {
    /// The name, unique in the collection and never used again for another meaning.
    pub name: &'static str,
    /// Whether at most one record may hold an entry.
    pub unique: bool,
    /// The record's entries: none, one or several. Encoded with the record's key (unless unique) they must
    /// stay within [`MAX_KEY_BYTES`](crate::MAX_KEY_BYTES).
    pub key: fn(&R) -> Vec<KeyParts>,
}

pub(super) fn find<R: Record>(name: &str, unique: bool) -> Result<&'static Index<R>, StoreError> {
    R::indexes()
        .iter()
        .find(|index| index.name == name && index.unique == unique)
        .ok_or_else(|| no_such::<R>(name))
}

pub(super) fn no_such<R: Record>(name: &str) -> StoreError {
    StoreError::NoSuchIndex { collection: R::COLLECTION, index: name.to_owned() }
}

pub(super) fn root<R: Record>(index: &Index<R>) -> Key {
    Key::of(format!("{}#{}", R::COLLECTION, index.name))
}

/// Brings the entries of all indexes from the record `before` to the one `after`.
pub(super) async fn replace<R: Record>(
    tx: &Tx,
    primary: &KeyParts,
    before: Option<&R>,
    after: Option<&R>,
) -> Result<(), StoreError> {
    for index in R::indexes() {
        let stale = before.map(|record| entries(index, primary, record)).unwrap_or_default();
        let fresh = after.map(|record| entries(index, primary, record)).unwrap_or_default();
        for entry in stale.iter().filter(|entry| !fresh.contains(entry)) {
            tx.delete(entry)?;
        }
        for entry in fresh.iter().filter(|entry| !stale.contains(entry)) {
            put_entry(tx, index, entry, primary).await?;
        }
    }
    Ok(())
}

/// Puts the entries of one record in one index, whether or not they are there.
pub(super) async fn fill<R: Record>(tx: &Tx, index: &Index<R>, record: &R) -> Result<(), StoreError> {
    let primary = record.key();
    for entry in entries(index, &primary, record) {
        put_entry(tx, index, &entry, &primary).await?;
    }
    Ok(())
}

async fn put_entry<R: Record>(
    tx: &Tx,
    index: &Index<R>,
    entry: &Key,
    primary: &KeyParts,
) -> Result<(), StoreError> {
    if index.unique
        && let Some(holder) = tx.get(entry).await?
        && holder != primary.as_bytes()
    {
        return Err(StoreError::Taken { collection: R::COLLECTION, index: index.name });
    }
    tx.put(entry, Bytes::copy_from_slice(primary.as_bytes()))
}

fn entries<R: Record>(index: &Index<R>, primary: &KeyParts, record: &R) -> Vec<Key> {
    let root = root(index);
    let whole = |entry: KeyParts| {
        let key = root.clone().parts(&entry);
        if index.unique { key } else { key.parts(primary) }
    };
    (index.key)(record).into_iter().map(whole).collect()
}
