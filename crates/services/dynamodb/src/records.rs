//! Where everything lies: the only file that knows keys.
//!
//! | key | holds |
//! |---|---|
//! | `dynamodb-tables`, account, region, name | a [`Table`] |
//! | `dynamodb-items`, table id, hash, sort key | an item |
//! | `dynamodb-index`, table id, index number, hash, sort key, hash of the table's key | an index's entry |
//! | `dynamodb-counts`, table id, what | how many items a table has, and of how many bytes |
//! | `dynamodb-counts`, table id, index number, what | how many entries an index has, and of how many bytes |
//! | `dynamodb-table-count`, account, region | how many tables there are |
//! | `dynamodb-tokens`, scope, token | what a transaction's client token stood for |
//! | `dynamodb-sweeps`, table id | a deleted table whose items are still there |
//! | `dynamodb-jobs`, id | what is done behind a call's answer |
//! | `dynamodb-expiring`, account, region, name | a table with time to live |
//! | `dynamodb-index`, table id, number, time, hash of the table's key | the key of an item that expires then |
//! | `dynamodb-index`, table id, number, as in `dynamodb-items`, time, versionstamp | what an item was before it was written then |
//! | `dynamodb-backups`, account, region, table's name, id | a backup; its items lie as a table's do |
//! | `dynamodb-exports`, `dynamodb-imports`, account, region, table's name, id | an export, an import |
//! | `dynamodb-transfers`, id | how far an export or import is |
//! | `dynamodb-export-files`, transfer's id, number | a data file that an export's manifest will name |
//! | `dynamodb-running`, `exports` or `imports`, account, region | how many are under way |
//! | `dynamodb-policies`, ARN | the policy of a table or a stream |
//! | `dynamodb-streams`, account, region, name, label | a stream |
//! | `dynamodb-stream`, stream id, versionstamp | a record of it |
//!
//! A partition key enters by a 128-bit hash, keyed per table, and is compared in full in the item; so it may be as
//! long as it likes, a segment of a parallel scan is a stretch of hashes, and neighbours say nothing of each other.
//! Sort keys are the last part, in an order-preserving form. Their bound of 1,024 bytes keeps every key within the
//! store's, also where each of their bytes takes two and the entry of an index adds its hash of the table's key.
//! A table's id is never used again: deleting a table unlinks its items, and a sweep removes them.

mod backups;
mod counts;
mod exports;
mod imports;
mod jobs;
mod policies;
mod streams;
mod transfers;

use aws_lc_rs::hmac;
use bytes::Bytes;
use homeport_core::Scope;
use homeport_store::{Collection, Key, KeyParts, Record};
use serde::{Deserialize, Serialize};

use crate::table::{Index, KeyAttribute, Schema, Table};
use crate::value::{AttributeValue, Item};

pub use backups::{BACKUPS, Backup, BackupKind};
pub use counts::{Counts, Held};
pub use exports::{EXPORT_FILES, EXPORTS, Export, ExportFile, ExportFormat, ExportSpan, KEPT_DAYS};
pub use imports::{CsvOptions, IMPORTS, Import, InputCompression, InputFormat, LOG_GROUP};
pub use jobs::{BackupRef, Copying, EXPIRING, Expiring, Goal, JOBS, Job, Origin, TableRef, Work};
pub use policies::{POLICIES, PolicyRecord};
pub use streams::{Change, STREAMS, StreamRecord, stream_records, streams_of};
pub use transfers::{
    ExportStage, Exporting, Failure, Importing, ReadingObject, TRANSFERS, Transfer, TransferRef,
    TransferStatus, TransferWork,
};

/// All tables.
pub const TABLES: Collection<Table> = Collection::new();
/// Deleted tables whose items are still to be removed.
pub const SWEEPS: Collection<Sweep> = Collection::new();
/// What client tokens of transactions stood for.
pub const TOKENS: Collection<Token> = Collection::new();

/// A deleted table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sweep {
    /// The table's id.
    pub table_id: String,
}

impl Record for Sweep {
    const COLLECTION: &'static str = "dynamodb-sweeps";
    const VERSION: u16 = 1;

    fn key(&self) -> KeyParts {
        KeyParts::from(self.table_id.as_str())
    }
}

/// A transaction's client token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Token {
    /// Account and region, as text.
    pub scope: String,
    /// The token.
    pub token: String,
    /// A hash of the request.
    pub request: String,
    /// Until when it stands, in milliseconds since 1970.
    pub expires_ms: i64,
    /// The export or import that the request began.
    #[serde(default)]
    pub made: Option<TransferRef>,
}

impl Record for Token {
    const COLLECTION: &'static str = "dynamodb-tokens";
    const VERSION: u16 = 1;

    fn key(&self) -> KeyParts {
        KeyParts::from((self.scope.as_str(), self.token.as_str()))
    }

    fn indexes() -> &'static [homeport_store::Index<Self>] {
        &[homeport_store::Index {
            name: "expires",
            unique: false,
            key: |token| vec![KeyParts::new().i64(token.expires_ms)],
        }]
    }
}

/// Where tables of this scope lie.
pub fn tables_of(scope: &Scope) -> KeyParts {
    KeyParts::from((scope.account.number(), scope.region.as_str()))
}

/// How many tables the scope has.
pub fn table_count(scope: &Scope) -> Key {
    Key::of("dynamodb-table-count").parts(&tables_of(scope))
}

/// How many exports, or imports, of the scope are under way.
pub fn running(what: &str, scope: &KeyParts) -> Key {
    Key::of("dynamodb-running").str(what).parts(scope)
}

/// The keys of a table's items and index entries.
#[derive(Clone, Debug)]
pub struct Layout {
    id: (u64, u64),
    seed: hmac::Key,
}

/// Where one item, or one entry of an index, lies.
#[derive(Clone, Debug)]
pub struct Place {
    /// The whole key.
    pub key: Key,
    /// The first half of the partition key's hash: what segments divide.
    pub slot: u64,
}

impl Layout {
    /// The layout of this table.
    pub fn of(table: &Table) -> Self {
        let seed = hex::decode(&table.hash_seed).unwrap_or_default();
        Self { id: halves(id_number(&table.id)), seed: hmac::Key::new(hmac::HMAC_SHA256, &seed) }
    }

    /// Where a table's items lie.
    pub fn items(&self) -> Key {
        items_root(self.id)
    }

    /// Where an index's entries lie.
    pub fn entries(&self, index: &Index) -> Key {
        entries_root(self.id).u64(index.number)
    }

    /// How much the table holds.
    pub fn counts(&self) -> Counts {
        Counts { root: counts_root(self.id) }
    }

    /// How much an index holds.
    pub fn counts_of(&self, index: &Index) -> Counts {
        Counts { root: counts_root(self.id).u64(index.number) }
    }

    /// Where an item with this key lies; none if it has not all of the schema's attributes.
    pub fn item(&self, schema: &Schema, key: &Item) -> Option<Place> {
        self.place(self.items(), schema, key)
    }

    /// What the place's key has behind [`Self::items`].
    pub fn suffix<'a>(&self, place: &'a Place) -> &'a [u8] {
        place.key.as_bytes().get(self.items().as_bytes().len()..).unwrap_or_default()
    }

    /// Where an index's entry of this item lies; none if the item has not the index's and the table's keys.
    pub fn entry(&self, index: &Index, table: &Schema, item: &Item) -> Option<Place> {
        let place = self.place(self.entries(index), &index.schema, item)?;
        let (high, low) = self.hash_of_key(table, item)?;
        Some(Place { key: place.key.u64(high).u64(low), slot: place.slot })
    }

    /// Where the keys of items that expire lie, in the order of their times.
    pub fn expiries(&self, number: u64) -> Key {
        entries_root(self.id).u64(number)
    }

    /// Where it stands that the item expires at this second; none if it has not the table's key.
    pub fn expiring(&self, number: u64, second: i64, table: &Schema, item: &Item) -> Option<Key> {
        let (high, low) = self.hash_of_key(table, item)?;
        Some(self.expiries(number).i64(second).u64(high).u64(low))
    }

    fn hash_of_key(&self, table: &Schema, item: &Item) -> Option<(u64, u64)> {
        self.hash_of_all(table.attributes(), item)
    }

    fn hash_of_partition(&self, schema: &Schema, item: &Item) -> Option<(u64, u64)> {
        if schema.partition_rest.is_empty() {
            return Some(self.hash(&key_bytes(item.get(&schema.partition.name)?)));
        }
        self.hash_of_all(schema.partition_attributes(), item)
    }

    fn hash_of_all<'a>(
        &self,
        attributes: impl Iterator<Item = &'a KeyAttribute>,
        item: &Item,
    ) -> Option<(u64, u64)> {
        let mut whole = Vec::new();
        for attribute in attributes {
            let value = key_bytes(item.get(&attribute.name)?);
            whole.extend_from_slice(&(value.len() as u64).to_be_bytes());
            whole.extend_from_slice(&value);
        }
        Some(self.hash(&whole))
    }

    /// Where all items with a partition key lie; none if `partition` has not all of its attributes.
    pub fn partition(&self, root: Key, schema: &Schema, partition: &Item) -> Option<Key> {
        let (high, low) = self.hash_of_partition(schema, partition)?;
        Some(root.u64(high).u64(low))
    }

    fn place(&self, root: Key, schema: &Schema, item: &Item) -> Option<Place> {
        let (slot, low) = self.hash_of_partition(schema, item)?;
        let mut key = root.u64(slot).u64(low);
        for attribute in schema.sort_attributes() {
            key = with_sort(key, item.get(&attribute.name)?);
        }
        Some(Place { key, slot })
    }

    fn hash(&self, bytes: &[u8]) -> (u64, u64) {
        let tag = hmac::sign(&self.seed, bytes);
        let first = tag.as_ref().first_chunk::<16>().copied().unwrap_or_default();
        halves(u128::from_be_bytes(first))
    }
}

/// A partition's key and a sort key behind it.
pub fn with_sort(partition: Key, sort: &AttributeValue) -> Key {
    partition.bytes(sort_bytes(sort))
}

/// A key's bytes that all sort keys beginning with `prefix` begin with.
pub fn sort_prefix(partition: Key, prefix: &AttributeValue) -> Key {
    let whole = with_sort(partition, prefix);
    let bytes = whole.as_bytes();
    Key::from_row(&Bytes::copy_from_slice(&bytes[..bytes.len() - 1]))
}

/// Whether an item found under a partition's hash is of that partition, and not of another with the same hash.
pub fn is_of_partition(item: &Item, attribute: &KeyAttribute, value: &AttributeValue) -> bool {
    item.get(&attribute.name) == Some(value)
}

/// A table's id, items, entries and counts: what a sweep removes.
pub fn roots_of(table_id: &str) -> [Key; 3] {
    let id = halves(id_number(table_id));
    [items_root(id), entries_root(id), counts_root(id)]
}

/// Where the items of the table, or the backup, with this id lie.
pub fn items_of(id: &str) -> Key {
    items_root(halves(id_number(id)))
}

/// Where all that lies under one number of a table is: an index's entries, or times of expiry.
pub fn numbered(table_id: &str, number: u64) -> Key {
    entries_root(halves(id_number(table_id))).u64(number)
}

/// All that lies under one number of a table, and how much that is: what a sweep removes.
pub fn numbered_roots(table_id: &str, number: u64) -> [Key; 2] {
    [numbered(table_id, number), counts_root(halves(id_number(table_id))).u64(number)]
}

fn items_root((high, low): (u64, u64)) -> Key {
    Key::of("dynamodb-items").u64(high).u64(low)
}

fn entries_root((high, low): (u64, u64)) -> Key {
    Key::of("dynamodb-index").u64(high).u64(low)
}

fn counts_root((high, low): (u64, u64)) -> Key {
    Key::of("dynamodb-counts").u64(high).u64(low)
}

fn id_number(id: &str) -> u128 {
    let digits: String = id.chars().filter(char::is_ascii_hexdigit).collect();
    u128::from_str_radix(&digits, 16).unwrap_or_default()
}

fn halves(number: u128) -> (u64, u64) {
    ((number >> 64) as u64, number as u64)
}

/// A key's bytes in the order of keys: UTF-8 of strings, the order-preserving form of numbers.
fn sort_bytes(value: &AttributeValue) -> Vec<u8> {
    match value {
        AttributeValue::S(text) => text.clone().into_bytes(),
        AttributeValue::B(bytes) => bytes.clone(),
        AttributeValue::N(number) => {
            let mut key = Vec::new();
            number.write_key(&mut key);
            key
        }
        _ => Vec::new(),
    }
}

/// A key's bytes, its type in front.
fn key_bytes(value: &AttributeValue) -> Vec<u8> {
    let mut bytes = value.value_type().name().as_bytes().to_vec();
    bytes.extend(sort_bytes(value));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::Number;
    use crate::table::{IndexProjection, KeyKind};
    use homeport_core::{Account, Region, Timestamp};
    use homeport_store::MAX_KEY_BYTES;

    fn attribute(name: &str, kind: KeyKind) -> KeyAttribute {
        KeyAttribute { name: name.to_owned(), kind }
    }

    fn table() -> Table {
        Table {
            account: Account::from_number(1),
            region: Region::default_region(),
            name: "notes".into(),
            id: "6ba7b810-9dad-41d1-80b4-00c04fd430c8".into(),
            hash_seed: "00ff".into(),
            created: Timestamp::from_millis(0),
            schema: Schema {
                partition: attribute("p", KeyKind::S),
                partition_rest: Vec::new(),
                sort: Some(attribute("r", KeyKind::B)),
                sort_rest: Vec::new(),
            },
            indexes: vec![Index {
                name: "by-g".into(),
                number: 1,
                global: true,
                schema: Schema {
                    partition: attribute("g", KeyKind::S),
                    partition_rest: Vec::new(),
                    sort: Some(attribute("h", KeyKind::B)),
                    sort_rest: ["i", "j", "k"].map(|name| attribute(name, KeyKind::B)).into(),
                },
                projection: IndexProjection::All,
                throughput: None,
                on_demand_maximum: None,
                warm: None,
                state: Default::default(),
            }],
            next_index: 2,
            throughput: None,
            deletion_protection: false,
            table_class: None,
            tags: Default::default(),
            on_demand_since: None,
            stream: None,
            expiry: None,
            history: None,
            recovery: None,
            restored: None,
            importing: None,
            on_demand_maximum: None,
            warm: None,
            ended_stream: None,
            class_changed: None,
        }
    }

    #[test]
    fn a_table_that_was_stored_before_its_newest_members_came_is_read() {
        let mut stored = serde_json::to_value(table()).unwrap();
        for member in ["ended_stream", "class_changed"] {
            assert!(stored.as_object_mut().is_some_and(|table| table.remove(member).is_some()), "{member}");
        }
        let read: Table = serde_json::from_value(stored).unwrap();
        assert_eq!((read.name.as_str(), read.stream_label()), ("notes", None));
    }

    #[test]
    fn the_longest_keys_fit_the_store() {
        let (table, longest) = (table(), AttributeValue::S("p".repeat(2048)));
        let sort = AttributeValue::B(vec![0; 1024]);
        let quarter = || AttributeValue::B(vec![0; 256]);
        let parts = [("h", quarter()), ("i", quarter()), ("j", quarter()), ("k", quarter())];
        let item: Item = [("p", longest.clone()), ("g", longest), ("r", sort)]
            .into_iter()
            .chain(parts)
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        let layout = Layout::of(&table);
        let entry = layout.entry(&table.indexes[0], &table.schema, &item).unwrap();
        assert!(entry.key.as_bytes().len() <= MAX_KEY_BYTES);
        assert!(layout.item(&table.schema, &item).unwrap().key.as_bytes().len() <= MAX_KEY_BYTES);
    }

    #[test]
    fn sort_keys_keep_their_order_and_their_prefixes() {
        let (table, layout) = (table(), Layout::of(&table()));
        let named = Item::from([("p".to_owned(), AttributeValue::S("p".into()))]);
        let partition = layout.partition(layout.items(), &table.schema, &named).unwrap();
        let key = |bytes: &[u8]| with_sort(partition.clone(), &AttributeValue::B(bytes.to_vec()));
        let ascending: [&[u8]; 6] = [b"", b"\0", b"\0\0", b"\0\x01", b"\x01", b"a"];
        assert!(ascending.windows(2).all(|pair| key(pair[0]) < key(pair[1])));
        let prefix = sort_prefix(partition.clone(), &AttributeValue::B(b"\0".to_vec()));
        assert!(key(b"\0\x01").as_bytes().starts_with(prefix.as_bytes()));
        assert!(!key(b"\x01").as_bytes().starts_with(prefix.as_bytes()));
        let number =
            |text: &str| with_sort(partition.clone(), &AttributeValue::N(Number::parse(text).unwrap()));
        assert!(number("-2") < number("-1") && number("-1") < number("0") && number("9") < number("10"));
    }
}
