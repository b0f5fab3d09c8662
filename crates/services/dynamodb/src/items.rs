//! Items in the store: reading one, and writing one with all that follows from it.

use std::sync::Arc;

use bytes::Bytes;
use homeport_core::Timestamp;
use homeport_store::{Key, Tx};

use crate::capacity::{Consumed, write_units};
use crate::error::{DynamoError, Invalid};
use crate::expiry::expires_at;
use crate::history;
use crate::records::{Change, Held, Layout, Place, is_of_partition, stream_records};
use crate::table::{Index, IndexState, Table};
use crate::value::{Item, StoredItem, decode_stored, encode_stored, item_size};

/// When an item is written, and whether time to live does it: what streams tell of a write. The time is read when the
/// transaction has begun, for a later transaction's time must not be the earlier one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Occasion {
    pub(crate) now: Timestamp,
    pub(crate) expired: bool,
}

impl Occasion {
    /// A client's write.
    pub(crate) fn call(now: Timestamp) -> Self {
        Self { now, expired: false }
    }

    /// What time to live removes.
    pub(crate) fn expiry(now: Timestamp) -> Self {
        Self { now, expired: true }
    }
}

/// A table with the layout of its keys, ready for use.
#[derive(Clone, Debug)]
pub(crate) struct OpenTable {
    pub(crate) table: Table,
    /// The table's ARN.
    pub(crate) arn: String,
    pub(crate) layout: Layout,
}

/// A table that many calls share.
pub(crate) type SharedTable = Arc<OpenTable>;

impl OpenTable {
    pub(crate) fn new(table: Table) -> Self {
        let layout = Layout::of(&table);
        let arn = format!("arn:aws:dynamodb:{}:{}:table/{}", table.region, table.account, table.name);
        Self { table, arn, layout }
    }

    /// Where the item with this key lies, once the key is found to be the schema's.
    pub(crate) fn place(&self, key: &Item) -> Result<Place, DynamoError> {
        self.table.schema.check_key(key)?;
        self.layout.item(&self.table.schema, key).ok_or_else(|| Invalid::KeySchema.into())
    }

    /// The item at a place, in its stored form.
    pub(crate) async fn stored(&self, tx: &Tx, place: &Place) -> Result<Option<Bytes>, DynamoError> {
        Ok(tx.get(&place.key).await?)
    }

    /// The item with this key.
    pub(crate) async fn item(&self, tx: &Tx, place: &Place, key: &Item) -> Result<Option<Item>, DynamoError> {
        let Some(stored) = self.stored(tx, place).await? else { return Ok(None) };
        let item = decode_stored(&stored)?;
        Ok(self.is_at(&item, key).then_some(item))
    }

    /// Whether the item's partition key is the one asked for, and not another of the same hash.
    pub(crate) fn is_at(&self, item: &Item, key: &Item) -> bool {
        let partition = &self.table.schema.partition;
        key.get(&partition.name).is_some_and(|value| is_of_partition(item, partition, value))
    }

    /// Puts an item in the place of `before`, brings indexes and counts in step, and says what that consumes.
    pub(crate) async fn put(
        &self,
        tx: &Tx,
        place: &Place,
        before: Option<&Item>,
        item: &Item,
        on: Occasion,
    ) -> Result<Consumed, DynamoError> {
        self.remember(tx, place, before, on).await?;
        tx.put(&place.key, encode_stored(item))?;
        self.keep_in_step(tx, before, Some(item), on).await
    }

    /// Removes an item.
    pub(crate) async fn delete(
        &self,
        tx: &Tx,
        place: &Place,
        before: Option<&Item>,
        on: Occasion,
    ) -> Result<Consumed, DynamoError> {
        if before.is_some() {
            self.remember(tx, place, before, on).await?;
            tx.delete(&place.key)?;
        }
        self.keep_in_step(tx, before, None, on).await
    }

    /// Puts the item that an update made, or removes what was there where it made none.
    pub(crate) async fn keep(
        &self,
        tx: &Tx,
        place: &Place,
        before: Option<&Item>,
        after: Option<&Item>,
        on: Occasion,
    ) -> Result<Consumed, DynamoError> {
        match after {
            Some(after) => self.put(tx, place, before, after, on).await,
            None => self.delete(tx, place, before, on).await,
        }
    }

    async fn keep_in_step(
        &self,
        tx: &Tx,
        before: Option<&Item>,
        after: Option<&Item>,
        on: Occasion,
    ) -> Result<Consumed, DynamoError> {
        let sizes = [before, after].map(|item| item.map_or(0, item_size));
        let held = |item: Option<&Item>, size| item.map_or(Held::default(), |_| Held::one(size));
        self.layout.counts().change(tx, held(before, sizes[0]), held(after, sizes[1]))?;
        let mut consumed = Consumed::table(write_units(sizes[0].max(sizes[1])));
        for index in &self.table.indexes {
            self.index(tx, index, before, after, &mut consumed).await?;
        }
        self.expire(tx, before, after)?;
        self.tell(tx, before, after, on)?;
        Ok(consumed)
    }

    /// Keeps what the item was, where the table has a history.
    async fn remember(
        &self,
        tx: &Tx,
        place: &Place,
        before: Option<&Item>,
        on: Occasion,
    ) -> Result<(), DynamoError> {
        let Some(history) = &self.table.history else { return Ok(()) };
        let was = before.map(encode_stored).unwrap_or_default();
        let versions = history::versions(&self.table.id, history.number, self.layout.suffix(place));
        let time = history::next_time(tx, &versions, history, on.now).await?;
        tx.put_stamped(&versions.i64(time), homeport_store::KeyParts::new(), was)?;
        Ok(())
    }

    /// Keeps in order when items expire.
    fn expire(&self, tx: &Tx, before: Option<&Item>, after: Option<&Item>) -> Result<(), DynamoError> {
        let Some(expiry) = &self.table.expiry else { return Ok(()) };
        let schema = &self.table.schema;
        let entry = |item: Option<&Item>| {
            let at = expires_at(item?, &expiry.attribute)?;
            self.layout.expiring(expiry.number, at, schema, item?)
        };
        let (old, new) = (entry(before), entry(after));
        if old == new {
            return Ok(());
        }
        if let Some(key) = &old {
            tx.delete(key)?;
        }
        if let Some((key, item)) = new.as_ref().zip(after.and_then(|after| schema.key_of(after))) {
            tx.put(key, encode_stored(&item))?;
        }
        Ok(())
    }

    /// Appends to the table's stream, if it has one and the write changed something.
    fn tell(
        &self,
        tx: &Tx,
        before: Option<&Item>,
        after: Option<&Item>,
        on: Occasion,
    ) -> Result<(), DynamoError> {
        let Some(stream) = self.table.stream.as_ref().filter(|_| before != after) else { return Ok(()) };
        let Some(keys) = after.or(before).and_then(|item| self.table.schema.key_of(item)) else {
            return Ok(());
        };
        let change = Change {
            at: on.now,
            expired: on.expired,
            was_there: before.is_some(),
            is_there: after.is_some(),
            keys,
            old: before.filter(|_| stream.view.has_old()).cloned(),
            new: after.filter(|_| stream.view.has_new()).cloned(),
        };
        tx.put_stamped(&stream_records(&stream.id), homeport_store::KeyParts::new(), change.encode())?;
        Ok(())
    }

    /// Puts the index's entry of an item that was there before the index.
    pub(crate) async fn enter(&self, tx: &Tx, index: &Index, item: &Item) -> Result<(), DynamoError> {
        self.index(tx, index, None, Some(item), &mut Consumed::default()).await
    }

    async fn index(
        &self,
        tx: &Tx,
        index: &Index,
        before: Option<&Item>,
        after: Option<&Item>,
        consumed: &mut Consumed,
    ) -> Result<(), DynamoError> {
        let schema = &self.table.schema;
        let entry = |item: Option<&Item>| {
            let entry = index.entry_of(item?, schema)?;
            let place = self.layout.entry(index, schema, &entry)?;
            Some((place.key, entry))
        };
        let (old, new) = (entry(before), entry(after));
        if old == new {
            return Ok(());
        }
        let same_place = matches!((&old, &new), (Some((old, _)), Some((new, _))) if old == new);
        let was = match index.state {
            IndexState::Active => held(old.as_ref()),
            IndexState::Building => held_now(tx, old.as_ref(), new.as_ref().filter(|_| !same_place)).await?,
        };
        self.layout.counts_of(index).change(tx, was, held(new.as_ref()))?;
        let mut replaced = 0;
        if let Some((key, entry)) = &old {
            replaced = item_size(entry);
            if !same_place {
                tx.delete(key)?;
                consumed.add_index(index, write_units(replaced));
                replaced = 0;
            }
        }
        if let Some((key, entry)) = &new {
            tx.put(key, encode_stored(entry))?;
            consumed.add_index(index, write_units(item_size(entry).max(replaced)));
        }
        Ok(())
    }
}

/// An index's entry and its place.
type Entry = (Key, Item);

fn held(entry: Option<&Entry>) -> Held {
    entry.map_or(Held::default(), |(_, entry)| Held::one(item_size(entry)))
}

/// What lies at the places of these entries. While an index is filled, one may not be there yet, or there already.
async fn held_now(tx: &Tx, old: Option<&Entry>, new: Option<&Entry>) -> Result<Held, DynamoError> {
    let mut held = Held::default();
    for (key, _) in old.into_iter().chain(new) {
        if let Some(stored) = tx.get(key).await? {
            held.items += 1;
            held.bytes += StoredItem::open(&stored)?.size() as i64;
        }
    }
    Ok(held)
}
