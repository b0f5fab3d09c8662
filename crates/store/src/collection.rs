//! Typed records with a primary key and declared indexes, kept in step in the same transaction.

mod build;
mod index;
mod record;

use std::marker::PhantomData;

use bytes::Bytes;

use crate::{Direction, Key, KeyParts, Range, StoreError, Tx};

pub(crate) use build::IndexStates;
pub use index::Index;
pub use record::{Record, UpgradeError};

/// The records of one type. A constant, which the service's `records.rs` declares:
/// `pub const USERS: Collection<User> = Collection::new();`
///
/// Layout: `(COLLECTION, key…)` holds the record; `(COLLECTION#INDEX, index key…)` of a unique index and
/// `(COLLECTION#INDEX, index key…, key…)` of another hold the record's key.
pub struct Collection<R>(PhantomData<fn() -> R>);

impl<R> Clone for Collection<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Collection<R> {}

/// A page of records.
#[derive(Clone, Debug)]
pub struct Records<R> {
    /// The records, in the order of the key or index they were asked by.
    pub records: Vec<R>,
    /// Where the next page begins (opaque; no secret, but not to be trusted when it comes back from outside
    /// unsealed); `None` when this was the last.
    pub cursor: Option<Bytes>,
}

impl<R: Record> Default for Collection<R> {
    fn default() -> Self {
        Self::new()
    }
}

impl<R: Record> Collection<R> {
    /// The collection of `R`.
    pub const fn new() -> Self {
        Self(PhantomData)
    }

    /// Where the records lie: what [`Store::watch`](crate::Store::watch) and
    /// [`Store::sweep`](crate::Store::sweep) take.
    pub fn root(&self) -> Key {
        Key::of(R::COLLECTION)
    }

    /// The whole key of a record.
    pub fn key(&self, key: impl Into<KeyParts>) -> Key {
        self.root().parts(&key.into())
    }

    /// The record with this key.
    ///
    /// # Errors
    /// [`StoreError::BadRecord`], [`StoreError::NewerRecord`], and as [`Tx::get`].
    pub async fn get(&self, tx: &Tx, key: impl Into<KeyParts>) -> Result<Option<R>, StoreError> {
        let value = tx.get(&self.key(key)).await?;
        value.map(|value| record::decode(&value)).transpose()
    }

    /// The records with these keys, in their order.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn get_many(
        &self,
        tx: &Tx,
        keys: impl IntoIterator<Item = KeyParts>,
    ) -> Result<Vec<Option<R>>, StoreError> {
        let keys: Vec<Key> = keys.into_iter().map(|key| self.key(key)).collect();
        let values = tx.get_many(&keys).await?;
        values.into_iter().map(|value| value.map(|value| record::decode(&value)).transpose()).collect()
    }

    /// Puts a record, new or in place of the one with its key, and brings all indexes in step.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when another record holds its entry of a unique index, and as [`Tx::put`].
    pub async fn put(&self, tx: &Tx, record: &R) -> Result<(), StoreError> {
        let key = record.key();
        // Without indexes nothing depends on the record before, so none is read and none conflicts.
        let before = if R::indexes().is_empty() { None } else { self.get(tx, &key).await? };
        self.replace(tx, &key, before.as_ref(), record).await
    }

    /// Puts a record if none has its key; false when one has.
    ///
    /// # Errors
    /// As [`Self::put`].
    pub async fn insert(&self, tx: &Tx, record: &R) -> Result<bool, StoreError> {
        let key = record.key();
        if tx.get(&self.key(&key)).await?.is_some() {
            return Ok(false);
        }
        self.replace(tx, &key, None, record).await?;
        Ok(true)
    }

    async fn replace(
        &self,
        tx: &Tx,
        key: &KeyParts,
        before: Option<&R>,
        record: &R,
    ) -> Result<(), StoreError> {
        build::note_new_indexes::<R>(tx).await?;
        index::replace(tx, key, before, Some(record)).await?;
        let key = self.key(key);
        tx.put(&key, record::encode(record)?)?;
        if R::WATCHED { tx.touch(&key) } else { Ok(()) }
    }

    /// Removes the record with this key and gives it.
    ///
    /// # Errors
    /// As [`Self::get`] and [`Tx::delete`].
    pub async fn delete(&self, tx: &Tx, key: impl Into<KeyParts>) -> Result<Option<R>, StoreError> {
        let parts = key.into();
        let Some(before) = self.get(tx, &parts).await? else {
            return Ok(None);
        };
        index::replace(tx, &parts, Some(&before), None).await?;
        let key = self.key(&parts);
        tx.delete(&key)?;
        if R::WATCHED {
            tx.touch(&key)?;
        }
        Ok(Some(before))
    }

    /// Records whose keys begin with all of `prefix`, in the order of keys, behind the cursor `after`: at most
    /// `limit`, and at most [`MAX_PAGE_ROWS`](crate::MAX_PAGE_ROWS) or about
    /// [`MAX_PAGE_BYTES`](crate::MAX_PAGE_BYTES).
    ///
    /// # Errors
    /// [`StoreError::BadCursor`], and as [`Self::get`].
    pub async fn page(
        &self,
        tx: &Tx,
        prefix: impl Into<KeyParts>,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Records<R>, StoreError> {
        self.page_in(tx, prefix, after, Direction::Forward, limit).await
    }

    /// [`Self::page`] in either direction.
    ///
    /// # Errors
    /// As [`Self::page`].
    pub async fn page_in(
        &self,
        tx: &Tx,
        prefix: impl Into<KeyParts>,
        after: Option<&[u8]>,
        direction: Direction,
        limit: usize,
    ) -> Result<Records<R>, StoreError> {
        let root = self.root();
        let range = behind_cursor(&root, &prefix.into(), after, direction)?;
        let page = tx.scan(range, direction, limit).await?;
        let cursor = cursor(&root, &page);
        let records = page.rows.iter().map(|row| record::decode(&row.value)).collect::<Result<_, _>>()?;
        Ok(Records { records, cursor })
    }

    /// The record that holds this entry of a unique index.
    ///
    /// # Errors
    /// [`StoreError::NoSuchIndex`], [`StoreError::IndexBuilding`], and as [`Self::get`].
    pub async fn by(&self, tx: &Tx, index: &str, key: impl Into<KeyParts>) -> Result<Option<R>, StoreError> {
        let index = index::find::<R>(index, true)?;
        build::check_ready::<R>(tx, index).await?;
        let Some(primary) = tx.get(&index::root::<R>(index).parts(&key.into())).await? else {
            return Ok(None);
        };
        self.get(tx, KeyParts::from_encoded(primary.to_vec())).await
    }

    /// Records by an index, in its order: those whose entries begin with all of `prefix`, behind the cursor
    /// `after`; bounds as [`Self::page`].
    ///
    /// # Errors
    /// As [`Self::by`] and [`Self::page`].
    pub async fn page_by(
        &self,
        tx: &Tx,
        index: &str,
        prefix: impl Into<KeyParts>,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Records<R>, StoreError> {
        self.page_by_in(tx, index, prefix, after, Direction::Forward, limit).await
    }

    /// [`Self::page_by`] in either direction.
    ///
    /// # Errors
    /// As [`Self::page_by`].
    pub async fn page_by_in(
        &self,
        tx: &Tx,
        index: &str,
        prefix: impl Into<KeyParts>,
        after: Option<&[u8]>,
        direction: Direction,
        limit: usize,
    ) -> Result<Records<R>, StoreError> {
        let index = R::indexes()
            .iter()
            .find(|declared| declared.name == index)
            .ok_or_else(|| index::no_such::<R>(index))?;
        build::check_ready::<R>(tx, index).await?;
        let root = index::root::<R>(index);
        let range = behind_cursor(&root, &prefix.into(), after, direction)?;
        let page = tx.scan(range, direction, limit).await?;
        let keys = page.rows.iter().map(|row| KeyParts::from_encoded(row.value.to_vec()));
        let records = self.get_many(tx, keys).await?.into_iter().flatten().collect();
        Ok(Records { records, cursor: cursor(&root, &page) })
    }
}

fn behind_cursor(
    root: &Key,
    prefix: &KeyParts,
    after: Option<&[u8]>,
    direction: Direction,
) -> Result<Range, StoreError> {
    let whole = root.clone().parts(prefix);
    let range = Range::prefix(&whole);
    let Some(after) = after else { return Ok(range) };
    if !after.starts_with(prefix.as_bytes()) || after.len() > crate::MAX_KEY_BYTES {
        return Err(StoreError::BadCursor);
    }
    let after = [root.as_bytes(), after].concat();
    Ok(match direction {
        Direction::Forward => range.after(&after),
        Direction::Backward => range.before(&after),
    })
}

fn cursor(root: &Key, page: &crate::Page) -> Option<Bytes> {
    let last = page.rows.last().filter(|_| page.more)?;
    Some(last.key.slice(root.as_bytes().len()..))
}
