//! Tables: names, key schemas, indexes, and what an item must be to lie in them.

use homeport_core::{Account, Region, Timestamp};
use homeport_store::{KeyParts, Record, UpgradeError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::error::Invalid;
use crate::expression::Path;
use crate::value::{AttributeValue, Item, ValueType};

mod settings;

pub use settings::{
    Expiry, History, IndexState, OnDemandMaximum, Recovery, Restored, StreamSetting, StreamView,
};

/// The longest partition key, in bytes.
pub const MAX_PARTITION_KEY: usize = 2048;
/// The longest sort key, in bytes.
pub const MAX_SORT_KEY: usize = 1024;

/// A table, as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Table {
    /// The installation's account.
    pub account: Account,
    /// The table's region.
    pub region: Region,
    /// 3 to 255 characters.
    pub name: String,
    /// `TableId`, a UUID; never used again. The table's items lie under it.
    pub id: String,
    /// What the hash of this table's partition keys is keyed with, in hex.
    pub hash_seed: String,
    /// When it was created.
    pub created: Timestamp,
    /// The primary key.
    pub schema: Schema,
    /// Secondary indexes.
    pub indexes: Vec<Index>,
    /// The number that the next index gets. Numbers are never used again: what lies under one is of one index.
    pub next_index: u64,
    /// None for on-demand tables.
    pub throughput: Option<Throughput>,
    /// Whether `DeleteTable` is refused.
    pub deletion_protection: bool,
    /// `STANDARD` or `STANDARD_INFREQUENT_ACCESS`, where one was asked for.
    pub table_class: Option<String>,
    /// Tags by key.
    pub tags: BTreeMap<String, String>,
    /// When the billing mode was last set to on-demand.
    #[serde(default)]
    pub on_demand_since: Option<Timestamp>,
    /// The stream that writes go to.
    #[serde(default)]
    pub stream: Option<StreamSetting>,
    /// Time to live.
    #[serde(default)]
    pub expiry: Option<Expiry>,
    /// What its items were.
    #[serde(default)]
    pub history: Option<History>,
    /// Point-in-time recovery.
    #[serde(default)]
    pub recovery: Option<Recovery>,
    /// Where it comes from.
    #[serde(default)]
    pub restored: Option<Restored>,
    /// The import that still fills it.
    #[serde(default)]
    pub importing: Option<String>,
    /// The most that it is to be asked for, while it is on-demand.
    #[serde(default)]
    pub on_demand_maximum: Option<OnDemandMaximum>,
    /// What it was asked to keep warm, in units per second.
    #[serde(default)]
    pub warm: Option<Throughput>,
    /// `LatestStreamLabel` of a table whose stream was disabled.
    #[serde(default)]
    pub ended_stream: Option<String>,
    /// When its class last became another.
    #[serde(default)]
    pub class_changed: Option<Timestamp>,
}

/// Provisioned capacity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Throughput {
    /// Read capacity units.
    pub read: u64,
    /// Write capacity units.
    pub write: u64,
}

impl Throughput {
    /// What is warm of a table or an index that wasn't asked to keep more: what is provisioned, or what on-demand
    /// begins with (API reference, `WarmThroughput`).
    pub fn warm_anyway(provisioned: Option<Self>) -> Self {
        provisioned.unwrap_or(Self { read: 12_000, write: 4_000 })
    }

    /// What is warm: what was asked for, and no less than what is warm anyway.
    pub fn warm(asked: Option<Self>, provisioned: Option<Self>) -> Self {
        let least = Self::warm_anyway(provisioned);
        let asked = asked.unwrap_or(least);
        Self { read: asked.read.max(least.read), write: asked.write.max(least.write) }
    }
}

/// A partition key and maybe a sort key. A global index's may have four attributes each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    /// The partition key (`HASH`), or its first attribute.
    pub partition: KeyAttribute,
    /// The partition key's further attributes: none of a table's.
    #[serde(default)]
    pub partition_rest: Vec<KeyAttribute>,
    /// The sort key (`RANGE`), or its first attribute.
    pub sort: Option<KeyAttribute>,
    /// The sort key's further attributes: none of a table's.
    #[serde(default)]
    pub sort_rest: Vec<KeyAttribute>,
}

/// An attribute of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyAttribute {
    /// The attribute's name, at most 255 bytes.
    pub name: String,
    /// Its type.
    pub kind: KeyKind,
}

/// The types that keys have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyKind {
    /// A string.
    S,
    /// A number.
    N,
    /// Bytes.
    B,
}

/// A secondary index.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Index {
    /// 3 to 255 characters.
    pub name: String,
    /// Under which its entries lie.
    pub number: u64,
    /// Whether it has a partition key of its own.
    pub global: bool,
    /// Its key.
    pub schema: Schema,
    /// What its entries hold beside keys.
    pub projection: IndexProjection,
    /// Of a provisioned table's global index.
    pub throughput: Option<Throughput>,
    /// The most that a global index of an on-demand table is to be asked for.
    #[serde(default)]
    pub on_demand_maximum: Option<OnDemandMaximum>,
    /// What a global index was asked to keep warm, in units per second.
    #[serde(default)]
    pub warm: Option<Throughput>,
    /// Whether it holds all that it should.
    #[serde(default)]
    pub state: IndexState,
}

/// What an index's entries hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum IndexProjection {
    /// Whole items.
    All,
    /// The index's and the table's keys.
    KeysOnly,
    /// Keys and these.
    Include(Vec<String>),
}

impl Record for Table {
    const COLLECTION: &'static str = "dynamodb-tables";
    const VERSION: u16 = 2;

    fn key(&self) -> KeyParts {
        KeyParts::from((self.account.number(), self.region.as_str())).str(&self.name)
    }

    /// Version 1 had the indexes that its table was created with, numbered from 1.
    fn upgrade(_version: u16, mut json: serde_json::Value) -> Result<Self, UpgradeError> {
        let indexes = json["indexes"].as_array().map_or(0, Vec::len);
        json["next_index"] = (indexes + 1).into();
        Ok(serde_json::from_value(json)?)
    }
}

impl KeyKind {
    /// `S`, `N` or `B`.
    pub fn name(self) -> &'static str {
        self.value_type().name()
    }

    /// The type of values.
    pub fn value_type(self) -> ValueType {
        match self {
            Self::S => ValueType::S,
            Self::N => ValueType::N,
            Self::B => ValueType::B,
        }
    }
}

impl Schema {
    /// A schema of these attributes; of none, one that nothing fits.
    pub fn of(partition: Vec<KeyAttribute>, sort: Vec<KeyAttribute>) -> Self {
        let (mut partition, mut sort) = (partition.into_iter(), sort.into_iter());
        let nothing = || KeyAttribute { name: String::new(), kind: KeyKind::S };
        Self {
            partition: partition.next().unwrap_or_else(nothing),
            partition_rest: partition.collect(),
            sort: sort.next(),
            sort_rest: sort.collect(),
        }
    }

    /// The partition key's attributes.
    pub fn partition_attributes(&self) -> impl Iterator<Item = &KeyAttribute> {
        std::iter::once(&self.partition).chain(&self.partition_rest)
    }

    /// The sort key's attributes, in their order.
    pub fn sort_attributes(&self) -> impl Iterator<Item = &KeyAttribute> {
        self.sort.iter().chain(&self.sort_rest)
    }

    /// The attributes, partition key first.
    pub fn attributes(&self) -> impl Iterator<Item = &KeyAttribute> {
        self.partition_attributes().chain(self.sort_attributes())
    }

    /// Whether the attribute is part of the key.
    pub fn has(&self, name: &str) -> bool {
        self.attributes().any(|attribute| attribute.name == name)
    }

    /// The key of an item, if the item has it whole and of the right types.
    pub fn key_of(&self, item: &Item) -> Option<Item> {
        self.attributes()
            .map(|attribute| {
                let value = item.get(&attribute.name)?;
                (value.value_type() == attribute.kind.value_type())
                    .then(|| (attribute.name.clone(), value.clone()))
            })
            .collect()
    }

    /// Refuses a key that is not exactly this schema's.
    pub fn check_key(&self, key: &Item) -> Result<(), Invalid> {
        if key.len() != self.attributes().count() {
            return Err(Invalid::KeySchema);
        }
        for attribute in self.attributes() {
            let value = key.get(&attribute.name).ok_or(Invalid::KeySchema)?;
            if value.value_type() != attribute.kind.value_type() {
                return Err(Invalid::KeySchema);
            }
            check_not_empty(attribute, None, value)?;
        }
        self.check_sizes(key)
    }

    /// Refuses keys over their bounds.
    fn check_sizes(&self, item: &Item) -> Result<(), Invalid> {
        let size = |attribute: &KeyAttribute| item.get(&attribute.name).map_or(0, AttributeValue::size);
        if self.partition_attributes().map(size).sum::<usize>() > MAX_PARTITION_KEY {
            return Err(Invalid::PartitionKeySize);
        }
        if self.sort_attributes().map(size).sum::<usize>() > MAX_SORT_KEY {
            return Err(Invalid::SortKeySize);
        }
        Ok(())
    }
}

/// `string` or `binary`, if the value is an empty one.
fn empty_kind(value: &AttributeValue) -> Option<&'static str> {
    match value {
        AttributeValue::S(text) if text.is_empty() => Some("string"),
        AttributeValue::B(bytes) if bytes.is_empty() => Some("binary"),
        _ => None,
    }
}

/// Refuses an empty value of a key: of the table's, or of an index's.
pub(crate) fn check_not_empty(
    attribute: &KeyAttribute,
    index: Option<&Index>,
    value: &AttributeValue,
) -> Result<(), Invalid> {
    let name = attribute.name.clone();
    match (empty_kind(value), index) {
        (None, _) => Ok(()),
        (Some(kind), None) => Err(Invalid::EmptyKey { kind, name }),
        (Some(kind), Some(index)) => Err(Invalid::EmptyIndexKey { kind, name, index: index.name.clone() }),
    }
}

impl Table {
    /// Whether its items can be used: not before they are all there.
    pub fn is_ready(&self) -> bool {
        self.importing.is_none() && self.restored.as_ref().is_none_or(|restored| !restored.in_progress)
    }

    /// A number that none of its indexes had.
    pub fn draw_number(&mut self) -> u64 {
        let number = self.next_index;
        self.next_index += 1;
        number
    }

    /// `arn:aws:dynamodb:REGION:ACCOUNT:table/NAME`
    pub fn arn(&self) -> String {
        format!("arn:aws:dynamodb:{}:{}:table/{}", self.region, self.account, self.name)
    }

    /// `LatestStreamLabel`: of the stream that it has, or of the last one that it had.
    pub fn stream_label(&self) -> Option<&str> {
        self.stream.as_ref().map(|stream| &stream.label).or(self.ended_stream.as_ref()).map(String::as_str)
    }

    /// The index of this name.
    pub fn index(&self, name: &str) -> Result<&Index, Invalid> {
        self.indexes.iter().find(|index| index.name == name).ok_or_else(|| Invalid::NoIndex(name.to_owned()))
    }

    /// Whether items with one partition key are counted together.
    pub fn has_local_indexes(&self) -> bool {
        self.indexes.iter().any(|index| !index.global)
    }

    /// Refuses an item that has not this table's key, or whose index keys are of other types.
    pub fn check_item(&self, item: &Item) -> Result<(), Invalid> {
        for attribute in self.schema.attributes() {
            let value =
                item.get(&attribute.name).ok_or_else(|| Invalid::MissingKey(attribute.name.clone()))?;
            let (expected, actual) = (attribute.kind.value_type(), value.value_type());
            if actual != expected {
                let (expected, actual) = (expected.name(), actual.name());
                return Err(Invalid::KeyType { name: attribute.name.clone(), expected, actual });
            }
            check_not_empty(attribute, None, value)?;
        }
        self.schema.check_sizes(item)?;
        self.check_index_keys(item)
    }

    /// Refuses an item with index keys of other types, empty or too long. An item without them is not in the index.
    pub fn check_index_keys(&self, item: &Item) -> Result<(), Invalid> {
        for index in self.indexes_by_name() {
            for attribute in index.schema.attributes() {
                let Some(value) = item.get(&attribute.name) else { continue };
                if value.value_type() != attribute.kind.value_type() {
                    let (name, index) = (attribute.name.clone(), index.name.clone());
                    let (expected, actual) = (attribute.kind.name(), value.value_type().name());
                    return Err(Invalid::IndexKeyType { name, expected, actual, index });
                }
                check_not_empty(attribute, Some(index), value)?;
            }
            index.schema.check_sizes(item)?;
        }
        Ok(())
    }

    /// Refuses an updated item as [`Self::check_index_keys`] does, in the words for updates.
    pub fn check_updated_index_keys(&self, item: &Item) -> Result<(), Invalid> {
        self.check_index_keys(item).map_err(|error| match error {
            Invalid::EmptyIndexKey { kind, .. } => Invalid::EmptyUpdatedIndexKey(kind),
            other => other,
        })
    }

    fn indexes_by_name(&self) -> Vec<&Index> {
        let mut indexes: Vec<&Index> = self.indexes.iter().collect();
        indexes.sort_by_key(|index| &index.name);
        indexes
    }

    /// Refuses paths that lead into a key.
    pub fn check_paths<'a>(&self, paths: impl IntoIterator<Item = &'a Path>) -> Result<(), Invalid> {
        for path in paths.into_iter().filter(|path| !path.is_top_level()) {
            if self.schema.has(&path.head) {
                return Err(Invalid::NestedKey { kind: "Key", name: path.head.clone() });
            }
            if self.indexes.iter().any(|index| index.schema.has(&path.head)) {
                return Err(Invalid::NestedKey { kind: "IndexKey", name: path.head.clone() });
            }
        }
        Ok(())
    }
}

impl Index {
    /// What the index holds of an item; none if the item has not the index's key, or one that no entry can have: an
    /// item may be older than the index.
    pub fn entry_of(&self, item: &Item, table: &Schema) -> Option<Item> {
        self.schema.key_of(item)?;
        let mut values = self.schema.attributes().filter_map(|attribute| item.get(&attribute.name));
        if self.schema.check_sizes(item).is_err() || values.any(|value| empty_kind(value).is_some()) {
            return None;
        }
        let kept = |name: &str| match &self.projection {
            IndexProjection::All => true,
            IndexProjection::KeysOnly => self.schema.has(name) || table.has(name),
            IndexProjection::Include(names) => {
                self.schema.has(name) || table.has(name) || names.iter().any(|included| included == name)
            }
        };
        Some(
            item.iter()
                .filter(|(name, _)| kept(name))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
        )
    }
}
